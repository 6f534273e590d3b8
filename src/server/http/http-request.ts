import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { FetchAPI } from 'graphql-yoga'
import { asError } from '../../domain/as-error.js'
import { decodeUtf8 } from '../../domain/utf8.js'
import type { RequestHeaders } from '../../observability/request-observer.js'

/**
 * An HTTP request as the guards of HTTP see it, from node:http or from the Fetch API. It costs little to make; a Fetch `Request`, which
 * Yoga needs, costs more and is made only on demand.
 */
export interface HttpRequest {
  method: string
  /** The URL of the request. Only its path and query mean something. Undefined if it is malformed. */
  address: URL | undefined
  headers: RequestHeaders
  /** The IP address of the other end of the connection; undefined without a connection. */
  remoteAddress: string | undefined
  /** Calls `leave` if the client disconnects before the response has been sent. */
  whenClientLeaves(leave: () => void): void
  /**
   * Reads the body as UTF-8. Null if the client disconnected before it had sent all of it.
   *
   * @throws BodyTooLongError if the body is longer than `maximumBytes`.
   * @throws NotUtf8Error if it is not UTF-8.
   */
  text(maximumBytes: number): Promise<string | null>
  /** The request as a Fetch `Request`, without its body. */
  toFetch(): Request
}

export class BodyTooLongError extends Error {}

export class NotUtf8Error extends Error {}

function textOf(chunks: Uint8Array[]): string {
  try {
    return decodeUtf8(Buffer.concat(chunks))
  } catch (cause) {
    throw new NotUtf8Error('The body is not UTF-8.', { cause })
  }
}

function urlOf(text: string): URL | undefined {
  try {
    const url = new URL(text, 'http://gateway')
    // It fails for escapes that are not UTF-8, which URLSearchParams would read as U+FFFD.
    decodeURIComponent(url.search)
    return url
  } catch {
    return undefined
  }
}

/* ---- by node:http ------------------------------------------------------------------------------ */

export function httpRequestFromNode(incoming: IncomingMessage, outgoing: ServerResponse, { Request }: FetchAPI): HttpRequest {
  const { method = '', url = '', headers } = incoming
  const get = (name: string) => {
    const value = headers[name]
    return typeof value === 'string' ? value : null
  }
  // The Host header is not used: nothing here depends on it, and a client can put anything there.
  const address = urlOf(url)
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
    toFetch: () => lazyRequest(Request, method, url, headers),
  }
}

/** A Proxy has to have a target. Of this one nothing but the names of its properties is ever read. */
const PROXY_TARGET = new Request('http://gateway')

/**
 * A Fetch `Request` that is made when more of it than its method is read. Yoga is given one with each operation, and reads no more of it
 * unless a plugin or the form of the response needs it; to make one each time would be a twentieth of the work for a short query. It
 * holds on to nothing else of the connection: Pothos keeps contexts, which have the request, until a major garbage collection.
 */
function lazyRequest(Request: FetchAPI['Request'], method: string, url: string, headers: IncomingHttpHeaders): Request {
  let made: Request | undefined
  const make = () => {
    const sent: Record<string, string> = {}
    for (const [name, value] of Object.entries(headers)) if (typeof value === 'string') sent[name] = value
    return new Request(urlOf(url) ?? 'http://gateway', { method, headers: sent })
  }
  return new Proxy(PROXY_TARGET, {
    get(_, name): unknown {
      if (name === 'method') return method
      const request = (made ??= make())
      const value: unknown = Reflect.get(request, name)
      return typeof value === 'function' ? (...args: unknown[]): unknown => Reflect.apply(value, request, args) : value
    },
  })
}

function textOfNode(incoming: IncomingMessage, maximumBytes: number): Promise<string | null> {
  return new Promise((resolve, reject) => {
    // `close` is emitted only once, perhaps before this call, while the credential was looked up.
    if (incoming.destroyed) return resolve(null)
    const chunks: Buffer[] = []
    let bytes = 0
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > maximumBytes) reject(new BodyTooLongError())
      else chunks.push(chunk)
    })
    incoming.once('end', () => {
      try {
        resolve(textOf(chunks))
      } catch (error) {
        reject(asError(error))
      }
    })
    incoming.once('error', () => resolve(null))
    incoming.once('close', () => resolve(null))
  })
}

/* ---- by fetch ---------------------------------------------------------------------------------- */

export function httpRequestFromFetch(request: Request): HttpRequest {
  const { method, url, headers, signal } = request
  return {
    method,
    address: urlOf(url),
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
  return textOf(chunks)
}
