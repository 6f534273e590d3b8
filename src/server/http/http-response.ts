import type { IncomingMessage, ServerResponse } from 'node:http'
import { sendNodeResponse } from '@whatwg-node/server'
import type { FetchAPI } from 'graphql-yoga'
import type { Logger } from 'pino'
import { unexpectedError } from './masked-errors.js'

/** An HTTP response that is complete in memory. Yoga's responses, which may be streams, are Fetch `Response`s instead. */
export interface HttpResponse {
  status: number
  headers: Record<string, string>
  /** Text, or its UTF-8. */
  body: string | Buffer
}

export function emptyResponse(status: number, headers: Record<string, string> = {}): HttpResponse {
  return { status, headers: { ...headers, 'content-length': '0' }, body: '' }
}

/** @param body JSON */
export function jsonResponse(status: number, body: string | Buffer, headers: Record<string, string> = {}, mediaType = 'application/json'): HttpResponse {
  const ofBody = { 'content-type': `${mediaType}; charset=utf-8`, 'content-length': String(Buffer.byteLength(body)) }
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

/** Adds headers to a response. Headers that it already has are kept. */
export function withHeaders(answer: HttpResponse | Response, headers: Record<string, string>): HttpResponse | Response {
  if (isHttpResponse(answer)) return { ...answer, headers: { ...headers, ...answer.headers } }
  for (const [name, value] of Object.entries(headers)) if (!answer.headers.has(name)) answer.headers.set(name, value)
  return answer
}

export function toFetchResponse(answer: HttpResponse | Response, { Response }: FetchAPI): Response {
  if (!isHttpResponse(answer)) return answer
  const { status, headers, body } = answer
  return new Response(body.length === 0 ? null : body.toString(), { status, headers })
}

/**
 * Longer bodies, in characters, are sent as a Buffer. Node copies a string to send it together with the headers in one write; a Buffer is
 * sent without a copy, in a write of its own.
 */
const LARGE_BODY_CHARACTERS = 65_536

/** Sends a response by node:http. It resolves when Yoga's stream, if the response is one, has ended. */
export async function send(answer: HttpResponse | Response, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  if (!isHttpResponse(answer)) return sendNodeResponse(answer, outgoing, incoming, true)
  const { status, headers, body } = answer
  outgoing.writeHead(status, headers).end(typeof body === 'string' && body.length > LARGE_BODY_CHARACTERS ? Buffer.from(body) : body)
}
