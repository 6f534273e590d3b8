import { Agent, request } from 'node:http'
import { z } from 'zod'
import { RestartableServer } from '../../test/lost-updates/server.js'

/** What the server has used for something. */
export type Usage = z.output<typeof usage>
const usage = z.object({ cpuMs: z.number(), peakMiB: z.number(), longestPieceMs: z.number() })

export interface Answer {
  status: number
  bytes: number
  /** How long it took, in milliseconds. */
  ms: number
  /** Its beginning and its end, when it is long. */
  text: string
}

/** Of a longer answer only so much is kept at either end, so that those who measure need little memory themselves. */
const KEPT = 100_000

/** How long an event is waited for. */
const PATIENCE_MS = 2_000

/** The gateway as a process with its settings for production, on a database of PostgreSQL. */
export class AttackedGateway {
  readonly #server: RestartableServer
  readonly #agent = new Agent({ keepAlive: true })

  constructor(databaseUrl: string) {
    this.#server = new RestartableServer(['--expose-gc', '--import', './scripts/attack/probe.js', 'dist/src/main.js'], {
      DATABASE_URL: databaseUrl,
      PORT: '0',
      NODE_ENV: 'production',
      // What whoever asks for the schema can do to others is looked at too.
      INTROSPECTION: 'true',
      LOG_LEVEL: 'error',
      // Limits of rate would only hide what each request takes.
      RATE_LIMIT_PER_CREDENTIAL: '0',
      RATE_LIMIT_PER_ADDRESS: '0',
    })
  }

  async start(): Promise<void> {
    await this.#server.start()
  }

  get url(): string {
    return this.#server.url
  }

  /** What it has logged: it should be nothing. */
  get log(): string {
    return this.#server.log
  }

  async stop(): Promise<void> {
    this.#agent.destroy()
    await this.#server.kill()
  }

  /** Sends one operation. Of a subscription it awaits the first event. */
  send(key: string, document: Document): Promise<Answer> {
    const startedAt = performance.now()
    return new Promise((resolve) => {
      const isStream = document.query.startsWith('subscription')
      const headers = { 'content-type': 'application/json', apikey: key, accept: isStream ? 'text/event-stream' : 'application/graphql-response+json' }
      // A connection that is closed without an answer counts as one of status 0.
      const failed = () => resolve({ status: 0, bytes: 0, ms: performance.now() - startedAt, text: '' })
      const sent = request(this.url, { method: 'POST', agent: this.#agent, headers }, (response) => {
        let bytes = 0
        let [start, end] = ['', '']
        response.setEncoding('latin1')
        response.on('data', (chunk: string) => {
          bytes += chunk.length
          if (start.length < KEPT) start += chunk
          else end = (end + chunk).slice(-KEPT)
        })
        const answered = () => resolve({ status: response.statusCode ?? 0, bytes, ms: performance.now() - startedAt, text: start + end })
        response.on('end', answered)
        response.on('error', failed)
        if (!isStream) return
        // There is none for a row without changes, or when they have all been told.
        sent.setTimeout(PATIENCE_MS, () => sent.destroy())
        response.on('data', () => {
          // An event ends with an empty line; before the first there are empty comments.
          if (!/event: next\n[^]*\n\n$/.test(start + end)) return
          answered()
          sent.destroy()
        })
      })
      sent.on('error', failed)
      sent.end(JSON.stringify(document))
    })
  }

  /** What it uses while `work` is done. */
  async using<Result>(work: () => Promise<Result>): Promise<{ result: Result; usage: Usage }> {
    await this.#server.ask('begin')
    const result = await work()
    return { result, usage: usage.parse(await this.#server.ask('end')) }
  }
}

export interface Document {
  query: string
  variables?: Record<string, unknown>
}

/** What an answer, however long, says that its operation costs. */
export function costTold({ text }: Answer): number {
  const [, told] = /"cost":\{"requested":(\d+)/.exec(text) ?? []
  return Number(told ?? NaN)
}
