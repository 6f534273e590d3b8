import type { FetchAPI } from 'graphql-yoga'

/** An answer that carries one error and no data, for requests that are refused before GraphQL sees them. */
export function failure(
  { Response }: FetchAPI,
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
  extensions: Record<string, unknown> = {},
): Response {
  const body = JSON.stringify({ errors: [{ message, extensions: { ...extensions, code } }] })
  return new Response(body, { status, headers: { ...headers, 'content-type': 'application/json; charset=utf-8' } })
}
