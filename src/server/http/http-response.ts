import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { FetchAPI } from 'graphql-yoga'
import type { Logger } from 'pino'
import { unexpectedError } from './masked-errors.js'

/** An HTTP response that is complete in memory. Yoga's responses, which may be streams, are Fetch `Response`s instead. */
export interface HttpResponse {
  status: number
  headers: Record<string, string>
  /** As text, or in parts that several responses may share. */
  body: string | Buffer[]
}

export function emptyResponse(status: number, headers: Record<string, string> = {}): HttpResponse {
  return { status, headers: { ...headers, 'content-length': '0' }, body: '' }
}

/** @param body JSON */
export function jsonResponse(status: number, body: string | Buffer[], headers: Record<string, string> = {}, mediaType = 'application/json'): HttpResponse {
  const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.reduce((sum, { length }) => sum + length, 0)
  const ofBody = { 'content-type': `${mediaType}; charset=utf-8`, 'content-length': String(bytes) }
  return { status, headers: { ...headers, ...ofBody }, body }
}

/** A response in GraphQL's format with one error and no data, for requests that are refused before Yoga sees them. */
export function errorResponse(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
  extensions: Record<string, unknown> = {},
): HttpResponse {
  return jsonResponse(status, JSON.stringify({ errors: [{ message, extensions: { ...extensions, code } }] }), headers)
}

/** Logs an unexpected error under an id. Returns a response that shows the client the id and nothing else of the error. */
export function unexpectedErrorResponse(error: unknown, log: Logger): HttpResponse {
  const { message, extensions: { code, http, ...extensions } } = unexpectedError(error, log)
  return errorResponse(http?.status ?? 500, String(code), message, http?.headers, extensions)
}

/* ---- sending ----------------------------------------------------------------------------------- */

function isHttpResponse(answer: HttpResponse | Response): answer is HttpResponse {
  return !('bodyUsed' in answer)
}

function isEventStream(answer: HttpResponse | Response): boolean {
  return !isHttpResponse(answer) && answer.headers.get('content-type')?.startsWith('text/event-stream') === true
}

/** The headers of a stream of events. nginx and proxies like it would keep events back until there are many. */
export function streamHeaders(answer: HttpResponse | Response): Record<string, string> {
  return isEventStream(answer) ? { 'x-accel-buffering': 'no' } : {}
}

/** Adds headers to a response. Headers that it already has are kept. */
export function withHeaders(answer: HttpResponse | Response, headers: Record<string, string>): HttpResponse | Response {
  if (isHttpResponse(answer)) return { ...answer, headers: { ...headers, ...answer.headers } }
  for (const [name, value] of Object.entries(headers)) if (!answer.headers.has(name)) answer.headers.set(name, value)
  return answer
}

/** @param over Called when all of the body has been read, or nobody reads it any more. */
export function toFetchResponse(answer: HttpResponse | Response, fetchAPI: FetchAPI, over: () => void): Response {
  const { Response } = fetchAPI
  if (isHttpResponse(answer)) {
    const { status, headers, body } = answer
    over()
    return new Response(body === '' ? null : typeof body === 'string' ? body : Buffer.concat(body), { status, headers })
  }
  if (answer.body) return new Response(tellingEnd(answer.body, fetchAPI, over), answer)
  over()
  return answer
}

/** A stream with the same content, which tells when it has ended or was cancelled. */
function tellingEnd(stream: ReadableStream<Uint8Array>, { ReadableStream }: FetchAPI, ended: () => void): ReadableStream<Uint8Array> {
  const reader = stream.getReader()
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        ended()
        throw error
      })
      if (!done) return controller.enqueue(value)
      ended()
      controller.close()
    },
    cancel(reason) {
      ended()
      return reader.cancel(reason)
    },
  })
}

/**
 * Longer bodies are sent in pieces of so many characters or bytes, and a piece is made only when the connection has taken the one before.
 * So connections.ts sees whether the client reads, and little more than the body itself waits for one that does not.
 */
const PIECE_LENGTH = 65_536

/** Sends a response by node:http. It resolves when all of it is handed over, which ends Yoga's stream, or when the client has left. */
export async function send(answer: HttpResponse | Response, outgoing: ServerResponse): Promise<void> {
  if (!isHttpResponse(answer)) {
    outgoing.writeHead(answer.status, Object.fromEntries(answer.headers))
    if (!answer.body) return void outgoing.end()
    if (isEventStream(answer)) streams.add(outgoing)
    const stream = Readable.from(answer.body)
    const end = () => stream.destroy()
    if (outgoing.destroyed) return void end()
    outgoing.once('close', end)
    return sendPieces(stream, outgoing)
  }
  const { status, headers, body } = answer
  outgoing.writeHead(status, headers)
  // Node sends a string together with the headers, in one write.
  if (typeof body === 'string' && body.length <= PIECE_LENGTH) outgoing.end(body)
  else await sendPieces(typeof body === 'string' ? [body] : body, outgoing)
}

const streams = new WeakSet<ServerResponse>()

/** Whether the response is a stream of events, which does not end by itself. */
export function isStream(outgoing: ServerResponse): boolean {
  return streams.has(outgoing)
}

async function sendPieces(chunks: Iterable<string | Uint8Array> | AsyncIterable<Uint8Array>, outgoing: ServerResponse): Promise<void> {
  if (outgoing.destroyed) return
  const left = new AbortController()
  outgoing.once('close', () => left.abort())
  try {
    for await (const chunk of chunks) {
      for (const piece of piecesOf(chunk)) {
        // The server has ended it, as it is about to stop.
        if (outgoing.writableEnded) return
        if (!outgoing.write(piece)) await once(outgoing, 'drain', { signal: left.signal })
      }
    }
    outgoing.end()
  } catch (error) {
    if (!left.signal.aborted) throw error
  }
}

function* piecesOf(chunk: string | Uint8Array): Generator<Uint8Array> {
  let start = 0
  while (start < chunk.length) {
    let end = start + PIECE_LENGTH
    if (typeof chunk === 'string') {
      // The two halves of a surrogate pair are one character, and stay together.
      if (isHighSurrogate(chunk.charCodeAt(end - 1))) end += 1
      yield Buffer.from(chunk.slice(start, end))
    } else yield chunk.subarray(start, end)
    start = end
  }
}

const isHighSurrogate = (code: number) => code >= 0xd800 && code <= 0xdbff
