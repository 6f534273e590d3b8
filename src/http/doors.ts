import type { IncomingMessage, ServerResponse } from 'node:http'
import type { YogaServerInstance } from 'graphql-yoga'
import type { Logger } from 'pino'
import type { RequestHeaders } from '../auth.js'
import type { Context } from '../context.js'
import { runOperation } from '../operation.js'
import { type Answer, unexpectedFailure } from './failure.js'
import type { HandedOver, HotDocuments } from './hot-documents.js'
import { beginOperation } from './operation-log.js'

/** What Yoga is told of a request beside the request itself. */
export type ServerContext = Partial<HandedOver> & { req?: IncomingMessage }

type Yoga = YogaServerInstance<ServerContext, Context>

/** Answers requests that come by node:http. */
export function nodeListener(hot: HotDocuments, yoga: Yoga, log: Logger) {
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
      try {
        const answer = await hot.answer({ ...head, incoming, signal: gone.signal, text: () => textOf(incoming) }, operation)
        if ('text' in answer) {
          // Yoga takes a body that was read already from here.
          await yoga(Object.assign(incoming, { body: answer.text }), response, answer)
        } else send(response, answer)
      } catch (error) {
        // A client that left while it was sending is nobody to answer, and no fault.
        if (!incoming.socket.destroyed && !response.headersSent) send(response, unexpectedFailure(error, log))
      }
    })
  }
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body)
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

/** The body of a request whose length was announced. */
function textOf(incoming: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    incoming.once('error', reject)
    incoming.once('close', () => reject(new Error('The request ended early.')))
  })
}
