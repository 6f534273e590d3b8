// Subscriptions as clients have them: over server-sent events.
import { inject, onTestFinished } from 'vitest'
import { PostgresChangeSignals } from '../src/database/change-signals.js'
import { database, type gateway, log } from './gateway.js'

/** Whoever answers requests. */
type Server = Pick<typeof gateway, 'fetch'>

/** One open subscription. */
export interface EventStream {
  status: number
  leave(): Promise<void>
  /** The next event; null when the stream has ended. */
  next(): Promise<unknown>
}

/** Subscribes with a key or another credential, and reads one event at a time. It is left after the test. */
export async function subscribe(server: Server, credential: string | Record<string, string>, query: string, variables: object = {}): Promise<EventStream> {
  const response = await server.fetch('http://gateway.test/graphql', {
    method: 'POST',
    headers: { ...(typeof credential === 'string' ? { apikey: credential } : credential), 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query, variables }),
  })
  const reader = response.body?.getReader()
  if (!reader) throw new Error('The subscription has no body.')
  const leave = () => reader.cancel()
  onTestFinished(leave)
  const decoder = new TextDecoder()
  // Something comes at once, and from then on the subscription looks for changes.
  let buffered = decoder.decode((await reader.read()).value, { stream: true })
  const next = async (): Promise<unknown> => {
    for (;;) {
      const end = buffered.indexOf('\n\n')
      const data = /^data: ?(.+)$/m.exec(buffered.slice(0, Math.max(end, 0)))?.[1]
      if (end >= 0) buffered = buffered.slice(end + 2)
      if (data) return JSON.parse(data)
      if (end >= 0) continue
      const { done, value } = await reader.read()
      if (done) return null
      buffered += decoder.decode(value, { stream: true })
    }
  }
  return { status: response.status, leave, next }
}

/** The signals of two processes on the PostgreSQL of this run, which hear of each other's changes until the test ends. */
export async function signalsOfTwoProcesses(): Promise<[PostgresChangeSignals, PostgresChangeSignals]> {
  const place = inject('database')
  if (!('url' in place)) throw new Error('This needs PostgreSQL.')
  const [here, there] = [new PostgresChangeSignals(place.url, database.pool, log), new PostgresChangeSignals(place.url, database.pool, log)]
  await Promise.all([here.listen(), there.listen()])
  onTestFinished(async () => {
    await here.close()
    await there.close()
  })
  return [here, there]
}
