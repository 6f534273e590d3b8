import type { FetchAPI } from 'graphql-yoga'
import type { Logger } from 'pino'
import { unexpected } from './masked-errors.js'

/** An HTTP answer as it is sent. */
export interface Answer {
  status: number
  headers: Record<string, string>
  body: string
}

/** An answer that carries one error and no data, for requests that are refused before GraphQL sees them. */
export function failure(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
  extensions: Record<string, unknown> = {},
): Answer {
  const body = JSON.stringify({ errors: [{ message, extensions: { ...extensions, code } }] })
  return { status, headers: { ...headers, 'content-type': 'application/json; charset=utf-8' }, body }
}

/** Logs an error with an id, and answers what may be told of it. */
export function unexpectedFailure(error: unknown, log: Logger): Answer {
  const { message, extensions: { code, http, ...extensions } } = unexpected(error, log)
  return failure(http?.status ?? 500, String(code), message, http?.headers, extensions)
}

export function responseOf({ Response }: FetchAPI, { status, headers, body }: Answer): Response {
  return new Response(body, { status, headers })
}
