import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { listen } from '../../process/listen.js'

interface HttpServer {
  /** Where it listens, e.g. `http://127.0.0.1:4000`. */
  origin: string
  /** Accepts no more connections. Resolves once the requests in flight have their responses, or `shutdownTimeoutMs` later. */
  close(): Promise<void>
}

interface HttpServerOptions {
  host: string
  /** 0: any free port. */
  port: number
  /** How long requests in flight may go on after `close` was called, in milliseconds. */
  shutdownTimeoutMs: number
}

/**
 * Starts an HTTP server that can stop without dropping a response.
 *
 * @throws StartError when the server cannot listen there, e.g. because the port is in use.
 */
export async function serveHttp(
  listener: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  { host, port, shutdownTimeoutMs }: HttpServerOptions,
): Promise<HttpServer> {
  let closing = false
  // The unfinished responses of each connection, several if the client pipelines requests. One Set of all responses would
  // be simpler, but in V8 its outgrown hash tables keep the deleted responses alive until a major garbage collection.
  const open = new Map<Socket, ServerResponse[]>()
  // Two Authorization headers are joined, and so refused as no valid credential. By default Node would drop the second one.
  const server = createServer({ joinDuplicateHeaders: true }, (request, response) => {
    const { socket } = request
    const before = open.get(socket)
    if (!before) socket.once('close', () => open.delete(socket))
    open.set(socket, [...(before ?? []).filter((it) => !it.writableFinished), response])
    // Otherwise a client that keeps its connection and sends more requests would keep the process from ending.
    if (closing) response.setHeader('connection', 'close')
    return listener(request, response)
  })
  return {
    origin: await listen(server, host, port),
    async close() {
      closing = true
      const closed = once(server, 'close')
      server.close()
      server.closeIdleConnections()
      for (const responses of open.values()) {
        for (const response of responses) {
          const isLast = response === responses.at(-1)
          if (response.headersSent) endStream(response, isLast)
          else if (isLast) response.setHeader('connection', 'close')
        }
      }
      const deadline = setTimeout(() => server.closeAllConnections(), shutdownTimeoutMs)
      await closed
      clearTimeout(deadline)
    },
  }
}

/** Ends a response whose headers were sent. Only a subscription's can still be open; it would never end by itself, and its client reconnects. */
function endStream(response: ServerResponse, isLast: boolean): void {
  if (response.writableEnded) return
  const { socket } = response
  response.end(() => {
    if (isLast) socket?.end()
  })
}
