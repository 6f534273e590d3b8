import type { FetchAPI } from 'graphql-yoga'

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

export function responseOf({ Response }: FetchAPI, { status, headers, body }: Answer): Response {
  return new Response(body, { status, headers })
}
