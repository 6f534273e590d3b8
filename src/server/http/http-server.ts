import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { listen } from '../../process/listen.js'

interface HttpServer {
  /** Where it listens. */
  port: number
  /** Takes no more connections, and resolves once the requests in flight are answered. */
  close(): Promise<void>
}

interface HttpServerOptions {
  host: string
  /** 0: any free one. */
  port: number
  /** How long requests in flight may take to finish once it closes, in milliseconds. */
  shutdownTimeoutMs: number
}

/**
 * Serves HTTP, and stops without losing an answer.
 *
 * @throws StartError when the port cannot be had.
 */
export async function serveHttp(
  listener: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  { host, port, shutdownTimeoutMs }: HttpServerOptions,
): Promise<HttpServer> {
  let closing = false
  // By connection, as a set that each response is added to and deleted from keeps its former tables, and with them
  // what they held, alive until the whole heap is collected. Several where a client sends on before it is answered.
  const open = new Map<Socket, ServerResponse[]>()
  // Joined, two Authorization headers are no credential; Node would drop the second one unseen.
  const server = createServer({ joinDuplicateHeaders: true }, (request, response) => {
    const { socket } = request
    const before = open.get(socket)
    if (!before) socket.once('close', () => open.delete(socket))
    open.set(socket, [...(before ?? []).filter((it) => !it.writableFinished), response])
    // A client that goes on asking over a connection it keeps would hold the process up.
    if (closing) response.setHeader('connection', 'close')
    return listener(request, response)
  })
  return {
    port: await listen(server, host, port),
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

/** Only a subscription is still being written; it never finishes by itself, and its client subscribes again elsewhere. */
function endStream(response: ServerResponse, isLast: boolean): void {
  if (response.writableEnded) return
  const { socket } = response
  response.end(() => {
    if (isLast) socket?.end()
  })
}
