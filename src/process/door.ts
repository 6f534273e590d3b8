import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'

/** A listener of node:http for the requests of one port. Its promise never rejects. */
export type Door = (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>

/** A Host header by RFC 3986: a name, an IPv4 address or an IPv6 address in brackets, and perhaps a port. It may be empty. */
const HOST = /^(?:\[[\da-f:.]+\]|[\w.~%!$&'()*+,;=-]*)(?::\d*)?$/i

/**
 * Makes the listener of a port from what answers its requests, so that every request comes to an end, whatever fails. A request with a
 * malformed Host header is answered with status 400. Where `answer` throws, the client gets status 500 and an id, and no more of the error;
 * if it has got a part of the answer already, its connection is closed. Both are logged, under the id that the client gets.
 */
export function door(log: Logger, answer: (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>): Door {
  return async (incoming, outgoing) => {
    try {
      if (hasHost(incoming)) return await answer(incoming, outgoing)
      const requestId = randomUUID()
      log.info({ requestId, status: 400 }, 'request with a malformed Host header')
      sendError(outgoing, 400, requestId, 'The Host header is malformed.', { code: 'BAD_REQUEST' })
    } catch (error) {
      const errorId = randomUUID()
      log.error({ err: error, errorId }, 'unexpected error')
      if (outgoing.headersSent) outgoing.destroy()
      else sendError(outgoing, 500, errorId, 'Unexpected error.', { code: 'INTERNAL_SERVER_ERROR', errorId })
    }
  }
}

/** Whether there is one Host header, and a well-formed one. HTTP before version 1.1 does not ask for any. */
function hasHost({ headers: { host }, httpVersion }: IncomingMessage): boolean {
  return host === undefined ? httpVersion !== '1.1' : HOST.test(host)
}

/** An error in GraphQL's format. It has none of the headers of an answer that failed, as these may be why it failed. */
function sendError(outgoing: ServerResponse, status: number, requestId: string, message: string, extensions: Record<string, string>): void {
  for (const name of outgoing.getHeaderNames()) outgoing.removeHeader(name)
  const body = JSON.stringify({ errors: [{ message, extensions }] })
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-request-id': requestId,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  }
  outgoing.writeHead(status, headers).end(body)
}
