import type { IncomingMessage, ServerResponse } from 'node:http'
import { sendNodeResponse } from '@whatwg-node/server'
import type { FetchAPI } from 'graphql-yoga'
import type { Logger } from 'pino'
import { unexpectedError } from './masked-errors.js'

/** An HTTP answer as it is sent. */
export interface HttpResponse {
  status: number
  headers: Record<string, string>
  body: string
}

/** An answer without a body. */
export function emptyResponse(status: number, headers: Record<string, string> = {}): HttpResponse {
  return { status, headers: { ...headers, 'content-length': '0' }, body: '' }
}

export function jsonResponse(status: number, value: unknown, headers: Record<string, string> = {}, mediaType = 'application/json'): HttpResponse {
  const body = JSON.stringify(value)
  const ofBody = { 'content-type': `${mediaType}; charset=utf-8`, 'content-length': String(Buffer.byteLength(body)) }
  return { status, headers: { ...headers, ...ofBody }, body }
}

/** An answer that carries one error and no data, for requests that are refused before GraphQL sees them. */
export function errorResponse(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
  extensions: Record<string, unknown> = {},
): HttpResponse {
  return jsonResponse(status, { errors: [{ message, extensions: { ...extensions, code } }] }, headers)
}

/** Logs an error with an id, and answers what may be told of it. */
export function unexpectedErrorResponse(error: unknown, log: Logger): HttpResponse {
  const { message, extensions: { code, http, ...extensions } } = unexpectedError(error, log)
  return errorResponse(http?.status ?? 500, String(code), message, http?.headers, extensions)
}

/* ---- sending ----------------------------------------------------------------------------------- */

function isHttpResponse(answer: HttpResponse | Response): answer is HttpResponse {
  return !('bodyUsed' in answer)
}

/** Adds headers to an answer, but for those that it has of its own. */
export function withHeaders(answer: HttpResponse | Response, headers: Record<string, string>): HttpResponse | Response {
  if (isHttpResponse(answer)) return { ...answer, headers: { ...headers, ...answer.headers } }
  for (const [name, value] of Object.entries(headers)) if (!answer.headers.has(name)) answer.headers.set(name, value)
  return answer
}

export function toFetchResponse(answer: HttpResponse | Response, { Response }: FetchAPI): Response {
  if (!isHttpResponse(answer)) return answer
  const { status, headers, body } = answer
  return new Response(body === '' ? null : body, { status, headers })
}

/** Longer bodies are sent by themselves, in characters: to be sent with its head by one call, a body is copied. */
const LARGE_BODY_CHARACTERS = 65_536

/** Sends an answer by node:http; that of Yoga may be a stream. */
export async function send(answer: HttpResponse | Response, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  if (!isHttpResponse(answer)) return sendNodeResponse(answer, outgoing, incoming, true)
  const { status, headers, body } = answer
  outgoing.writeHead(status, headers).end(body.length > LARGE_BODY_CHARACTERS ? Buffer.from(body) : body)
}
