// GraphQL over HTTP, as any client sends it.
import { z } from 'zod'

const answer = z.object({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z
    .array(
      z.object({
        message: z.string(),
        path: z.array(z.union([z.string(), z.number()])).optional(),
        extensions: z.record(z.string(), z.unknown()).optional(),
      }),
    )
    .optional(),
})
export type Answer = z.output<typeof answer>
export type HttpHeaders = Record<string, string>

function post(url: string, headers: HttpHeaders, query: string, variables: object | undefined): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  })
}

/** Sends a request: data and errors. */
export async function request(url: string, headers: HttpHeaders, query: string, variables?: object): Promise<Answer> {
  const response = await post(url, headers, query, variables)
  return answer.parse(await response.json())
}

/**
 * Like `request`, for a request that must succeed.
 *
 * @returns `data`, typed by the caller's schema
 */
export async function dataOf<Schema extends z.ZodType>(
  schema: Schema,
  url: string,
  headers: HttpHeaders,
  query: string,
  variables?: object,
): Promise<z.output<Schema>> {
  const { data, errors } = await request(url, headers, query, variables)
  if (errors) throw new Error(`${query}\nanswered ${JSON.stringify(errors, null, 2)}`)
  const parsed = schema.safeParse(data)
  if (!parsed.success) throw new Error(`${query}\nanswered ${JSON.stringify(data, null, 2)}\n${parsed.error.message}`)
  return parsed.data
}

/** Subscribes over server-sent events. Ending the iteration closes the connection. */
export async function subscribe(
  url: string,
  headers: HttpHeaders,
  query: string,
  variables?: object,
): Promise<AsyncGenerator<Answer, void>> {
  const response = await post(url, { ...headers, accept: 'text/event-stream' }, query, variables)
  if (!response.headers.get('content-type')?.startsWith('text/event-stream') || !response.body) {
    throw new Error(`No event stream, but HTTP ${response.status}: ${await response.text()}`)
  }
  return eventsOf(response.body)
}

async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Answer, void> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true })
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const lines = block.split('\n')
      const field = (name: string) => lines.find((line) => line.startsWith(`${name}:`))?.slice(name.length + 1).trim()
      if (field('event') === 'complete') return
      const data = field('data')
      if (data) yield answer.parse(JSON.parse(data))
    }
  }
}

/** The next event of a subscription that must not end here. */
export async function nextOf(events: AsyncGenerator<Answer, void>): Promise<Answer> {
  const { value } = await events.next()
  if (!value) throw new Error('The subscription has ended.')
  return value
}
