import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Client } from 'undici'
import type { Exchange, Load, Target } from './workload.js'

/** Keep-alive connections to one server; each has one request under way at a time. */
export class Connections {
  readonly #clients: Client[]

  constructor(
    readonly target: Target,
    readonly size: number,
  ) {
    this.#clients = Array.from({ length: size }, () => new Client(target.url.origin, { pipelining: 1, bodyTimeout: 120_000, headersTimeout: 120_000 }))
  }

  /** Undici's lowest level, as the generator shares its processors with the server. */
  send(connection: number, body: string): Promise<Buffer> {
    const { name, url, headers } = this.target
    const client = this.#clients[connection]
    if (!client) throw new Error(`There is no connection ${connection}.`)
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      let status = 0
      client.dispatch({ path: url.pathname, method: 'POST', headers, body }, {
        onRequestStart() {},
        onResponseStart(_controller, statusCode) {
          status = statusCode
        },
        onResponseData(_controller, chunk) {
          chunks.push(chunk)
        },
        onResponseEnd() {
          const [first] = chunks
          const answer = chunks.length === 1 && first ? first : Buffer.concat(chunks)
          if (status === 200 && !answer.includes('"errors":')) resolve(answer)
          else reject(new Error(`${name} answered ${status}: ${answer.toString('utf8', 0, 2000)} to ${body.slice(0, 2000)}`))
        },
        onResponseError(_controller, error) {
          reject(error)
        },
      })
    })
  }

  async exchange(connection: number, { body, received }: Exchange): Promise<void> {
    const answer = await this.send(connection, body)
    received?.(answer)
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()))
  }
}

export interface Throughput {
  perSecond: number
  /** Processor time of the server's process, all threads. */
  cpuMicroseconds: number
}

/** Every connection sends its next request as soon as it has an answer. */
export async function closedLoop(connections: Connections, load: Load, seconds: number): Promise<Throughput> {
  const { pid } = connections.target
  const cpu = processorSeconds(pid)
  const begin = performance.now()
  const end = begin + seconds * 1000
  let count = 0
  await Promise.all(
    Array.from({ length: connections.size }, async (_, connection) => {
      while (performance.now() < end) {
        await connections.exchange(connection, load.next(connection))
        count += 1
      }
    }),
  )
  const elapsed = (performance.now() - begin) / 1000
  return { perSecond: count / elapsed, cpuMicroseconds: ((processorSeconds(pid) - cpu) / count) * 1e6 }
}

/**
 * Sends at a steady rate, however long the answers take: the milliseconds that each took, waiting
 * for a free connection included.
 */
export async function fixedRate(connections: Connections, load: Load, rate: number, seconds: number): Promise<number[]> {
  const free = Array.from({ length: connections.size }, (_, connection) => connection)
  const waiting: number[] = []
  const latencies: number[] = []
  const underWay = new Set<Promise<void>>()
  const launch = () => {
    for (;;) {
      const connection = waiting.length > 0 ? free.pop() : undefined
      const since = connection === undefined ? undefined : waiting.shift()
      if (connection === undefined || since === undefined) return
      const done = connections.exchange(connection, load.next(connection)).then(() => {
        latencies.push(performance.now() - since)
        free.push(connection)
        underWay.delete(done)
        launch()
      })
      underWay.add(done)
    }
  }
  const begin = performance.now()
  for (let sent = 0; sent < rate * seconds; sent += 1) {
    const wait = begin + (sent / rate) * 1000 - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    waiting.push(performance.now())
    launch()
  }
  while (underWay.size > 0) await Promise.all(underWay)
  return latencies
}

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

function processorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name in parentheses may hold spaces; utime and stime are the 14th and 15th field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** The most memory that the process has held so far, in MiB. */
export function peakMemory(pid: number): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Math.round(Number(kilobytes) / 1024)
}
