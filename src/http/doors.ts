import type { IncomingMessage, ServerResponse } from 'node:http'
import type { YogaServerInstance } from 'graphql-yoga'
import type { RequestHeaders } from '../auth.js'
import type { Context } from '../context.js'
import { runOperation } from '../operation.js'
import type { Answer } from './failure.js'
import type { ServerContext } from './handed-over.js'
import type { HotDocuments } from './hot-documents.js'
import { beginOperation } from './operation-log.js'

type Yoga = YogaServerInstance<ServerContext, Context>

/** Answers requests that come by node:http. */
export function nodeListener(hot: HotDocuments, yoga: Yoga) {
  return async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const headers: RequestHeaders = {
      get(name) {
        const value = incoming.headers[name]
        return typeof value === 'string' ? value : null
      },
    }
    const head = { method: incoming.method ?? '', target: incoming.url ?? '', headers }
    if (!hot.takes(head)) {
      await yoga(incoming, response)
      return
    }
    const gone = new AbortController()
    response.once('close', () => {
      if (!response.writableFinished) gone.abort()
    })
    const operation = beginOperation(headers)
    await runOperation(operation, async () => {
      const answer = await hot.answer({ ...head, incoming, signal: gone.signal, text: () => textOf(incoming) }, operation)
      if ('text' in answer) await yoga(incoming, response, answer)
      else send(response, answer)
    })
  }
}

/** In characters. */
const LONG = 65_536

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  // Sent with its head by one call; a long one would be copied for that.
  const sent = body.length > LONG ? Buffer.from(body) : body
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(sent) }).end(sent)
}

/** Answers requests without a connection. */
export function fetchDoor(hot: HotDocuments, yoga: Yoga) {
  const { fetchAPI } = yoga
  return async (input: string | URL, init: RequestInit = {}): Promise<Response> => {
    const request = new fetchAPI.Request(input, init)
    const { method, headers, signal } = request
    const { pathname, search } = new URL(request.url)
    const head = { method, target: pathname + search, headers }
    if (!hot.takes(head)) return yoga.fetch(request)
    const operation = beginOperation(headers)
    return runOperation(operation, async () => {
      const answer = await hot.answer({ ...head, signal, text: () => request.text() }, operation)
      if ('text' in answer) return yoga.fetch(request.url, { method, headers, signal, body: answer.text }, answer)
      return new fetchAPI.Response(answer.body, { status: answer.status, headers: answer.headers })
    })
  }
}

/** The body of a request whose length was announced; null when it does not come. */
function textOf(incoming: IncomingMessage): Promise<string | null> {
  return new Promise((resolve) => {
    // It tells of its end once only, and that may have been while the credential was looked up.
    if (incoming.destroyed) return resolve(null)
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    incoming.once('error', () => resolve(null))
    incoming.once('close', () => resolve(null))
  })
}
