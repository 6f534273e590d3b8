import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FetchAPI } from 'graphql-yoga'
import type { RequestHeaders } from '../../observability/request-observer.js'

/**
 * A request, whether it came by node:http or by fetch: what the guards of HTTP look at. It is made at little cost, and a Request of the Fetch API out
 * of it only where Yoga has to see one.
 */
export interface HttpRequest {
  method: string
  /** The path and what follows it; undefined where the address is malformed. */
  address: URL | undefined
  headers: RequestHeaders
  /** The network address that it came from; undefined without a connection. */
  remoteAddress: string | undefined
  /** Called back when the client goes away before it is answered. */
  whenClientLeaves(leave: () => void): void
  /**
   * The body; null when the client left before it had sent all of it.
   *
   * @throws BodyTooLongError for more than so many bytes
   */
  text(maximumBytes: number): Promise<string | null>
  /** The same without its body. */
  toFetch(): Request
}

export class BodyTooLongError extends Error {}

/* ---- by node:http ------------------------------------------------------------------------------ */

export function httpRequestFromNode(incoming: IncomingMessage, outgoing: ServerResponse, { Request }: FetchAPI): HttpRequest {
  const { method = '', url = '', headers } = incoming
  const get = (name: string) => {
    const value = headers[name]
    return typeof value === 'string' ? value : null
  }
  // Whatever host the client names, nothing depends on it.
  const address = URL.canParse(url, 'http://gateway') ? new URL(url, 'http://gateway') : undefined
  return {
    method,
    address,
    headers: { get },
    remoteAddress: incoming.socket.remoteAddress,
    whenClientLeaves(leave) {
      outgoing.once('close', () => {
        if (!outgoing.writableFinished) leave()
      })
    },
    text: (maximumBytes) => textOfNode(incoming, maximumBytes),
    toFetch() {
      const sent: Record<string, string> = {}
      for (const [name, value] of Object.entries(headers)) if (typeof value === 'string') sent[name] = value
      return new Request(address ?? 'http://gateway', { method, headers: sent })
    },
  }
}

function textOfNode(incoming: IncomingMessage, maximumBytes: number): Promise<string | null> {
  return new Promise((resolve, reject) => {
    // It tells of its end once only, and that may have been while the credential was looked up.
    if (incoming.destroyed) return resolve(null)
    const chunks: Buffer[] = []
    let bytes = 0
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > maximumBytes) reject(new BodyTooLongError())
      else chunks.push(chunk)
    })
    incoming.once('end', () => resolve((chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))?.toString('utf8') ?? ''))
    incoming.once('error', () => resolve(null))
    incoming.once('close', () => resolve(null))
  })
}

/* ---- by fetch ---------------------------------------------------------------------------------- */

export function httpRequestFromFetch(request: Request): HttpRequest {
  const { method, url, headers, signal } = request
  return {
    method,
    address: URL.canParse(url) ? new URL(url) : undefined,
    headers,
    remoteAddress: undefined,
    whenClientLeaves: (leave) => signal.addEventListener('abort', leave, { once: true }),
    text: (maximumBytes) => textOfFetch(request, maximumBytes),
    toFetch: () => request,
  }
}

async function textOfFetch(request: Request, maximumBytes: number): Promise<string> {
  if (!request.body) return ''
  const chunks: Uint8Array[] = []
  let bytes = 0
  const reader = request.body.getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    bytes += next.value.byteLength
    if (bytes > maximumBytes) throw new BodyTooLongError()
    chunks.push(next.value)
  }
  return Buffer.concat(chunks).toString('utf8')
}
