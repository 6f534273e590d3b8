// Subscriptions as clients have them: over server-sent events.
import { onTestFinished } from 'vitest'
import type { gateway } from './gateway.js'

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
