import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse, STATUS_CODES } from 'node:http'
import { Socket } from 'node:net'
import type { Logger } from 'pino'
import type { Door } from '../../process/door.js'
import { listen } from '../../process/listen.js'
import { Connections } from './connections.js'
import { isStream } from './http-response.js'

interface HttpServer {
  /** Where it listens, e.g. `http://127.0.0.1:4000`. */
  origin: string
  /** Accepts no more connections. Resolves once the requests in flight have their responses, or `shutdownTimeoutMs` later. */
  close(): Promise<void>
}

export interface HttpServerOptions {
  host: string
  /** 0: any free port. */
  port: number
  /** How many connections may be open; further ones are closed at once. */
  maximumConnections: number
  /** After how long a client that does not read its answer is disconnected, in milliseconds; at the latest, after twice as long. */
  sendTimeoutMs: number
  /** How long a connection is kept open between two requests, in milliseconds. */
  keepAliveTimeoutMs: number
  /** How long requests in flight may go on after `close` was called, in milliseconds. */
  shutdownTimeoutMs: number
}

/** How long a client may take to send something, in milliseconds. */
export const RECEIVE_TIMEOUTS = {
  /** The headers of a request. */
  headers: 15_000,
  /** A whole request. */
  request: 60_000,
  /** How often Node looks for requests that are late. */
  check: 5_000,
}

/**
 * Starts an HTTP server that can stop without dropping a response. Clients that send or read too slowly are disconnected.
 *
 * @throws StartError when the server cannot listen there, e.g. because the port is in use.
 */
export async function serveHttp(
  door: Door,
  log: Logger,
  { host, port, maximumConnections, keepAliveTimeoutMs, sendTimeoutMs, shutdownTimeoutMs }: HttpServerOptions,
  receive = RECEIVE_TIMEOUTS,
): Promise<HttpServer> {
  let closing = false
  const connections = new Connections(log)
  const options = {
    // Two Authorization headers are joined, and so refused as no valid credential. By default Node would drop the second one.
    joinDuplicateHeaders: true,
    // The door asks for it, and logs what it refuses.
    requireHostHeader: false,
    headersTimeout: receive.headers,
    requestTimeout: receive.request,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: receive.check,
    // The system asks clients that are silent for long, such as subscribers, whether they are there.
    keepAlive: true,
    keepAliveInitialDelay: keepAliveTimeoutMs,
  }
  const server = createServer(options, (request, response) => {
    if (!connections.began(request.socket, response)) return
    // Otherwise a client that keeps its connection and sends more requests would keep the process from ending.
    if (closing) response.setHeader('connection', 'close')
    return door(request, response)
  })
  server.maxConnections = maximumConnections
  server.on('connection', (socket) => connections.opened(socket))
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (socket instanceof Socket && socket.writable && connections.mayBeRefused(socket)) refuse(error, socket, log)
    else socket.destroy()
  })
  const origin = await listen(server, host, port)
  const looking = setInterval(() => connections.closeSlowReaders(), sendTimeoutMs)
  return {
    origin,
    async close() {
      closing = true
      const closed = once(server, 'close')
      server.close()
      server.closeIdleConnections()
      for (const responses of connections.unfinished()) {
        for (const response of responses) {
          if (response === responses.at(-1)) closeAfter(response)
          if (isStream(response)) response.end()
        }
      }
      const deadline = setTimeout(() => server.closeAllConnections(), shutdownTimeoutMs)
      await closed
      clearTimeout(deadline)
      clearInterval(looking)
    },
  }
}

/** Closes the connection after the response. */
function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close')
  else if (!response.writableFinished) {
    const { socket } = response.req
    response.once('finish', () => socket.end())
  }
}

/** Answers a request that node:http could not read, or not in time, and closes the connection. */
function refuse({ code }: NodeJS.ErrnoException, socket: Socket, log: Logger): void {
  const status = statuses.get(code) ?? 400
  const requestId = randomUUID()
  log.info({ requestId, status, code }, 'request that cannot be read')
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\nX-Request-Id: ${requestId}\r\n\r\n`)
  socket.destroySoon()
}

const statuses = new Map<string | undefined, number>([
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
  ['HPE_HEADER_OVERFLOW', 431],
])
