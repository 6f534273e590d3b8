import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Logger } from 'pino'

/** What is known of one connection. */
interface Connection {
  /** Its responses that are not sent to their end yet, in the order of their requests; several if the client pipelines requests. */
  unfinished: ServerResponse[]
  /** How many bytes the system had taken when `closeSlowReaders` last looked, and how many waited for it. */
  sent: number
  unsent: number
}

/**
 * How many requests of one connection may be unanswered at the same time. HTTP lets a client send further requests before it has the answer
 * to the first, and node:http starts them all.
 */
export const MAXIMUM_UNANSWERED = 16

/** The open connections of a server, and what waits for their clients in its memory. */
export class Connections {
  // One Set of all responses would be simpler, but in V8 its outgrown hash tables keep the deleted responses alive until a major garbage
  // collection.
  readonly #connections = new Map<Socket, Connection>()

  constructor(readonly log: Logger) {}

  /** To be called for each new connection, before its first request. */
  opened(socket: Socket): void {
    const connection: Connection = { unfinished: [], sent: 0, unsent: 0 }
    this.#connections.set(socket, connection)
    socket.once('close', () => {
      this.#connections.delete(socket)
      for (const response of connection.unfinished) if (!response.socket && !response.writableFinished) tellThatItIsClosed(response)
    })
  }

  /**
   * To be called for each request, before it is handled. False if the connection is closed, because it has MAXIMUM_UNANSWERED requests
   * already or for another reason: then the request is not to be handled.
   */
  began(socket: Socket, response: ServerResponse): boolean {
    const connection = this.#connections.get(socket)
    // Requests that came in one piece with the one for which the connection was closed are still read.
    if (!connection || socket.destroyed) return false
    connection.unfinished = connection.unfinished.filter((it) => !it.writableFinished)
    if (connection.unfinished.length === MAXIMUM_UNANSWERED) {
      this.log.warn('closed a connection that has sent too many requests without waiting for their answers')
      socket.destroy()
      return false
    }
    connection.unfinished.push(response)
    return true
  }

  /** The unfinished responses of each connection. */
  unfinished(): ServerResponse[][] {
    return [...this.#connections.values()].map(({ unfinished }) => unfinished)
  }

  /**
   * Whether an error may be sent to a client whose request cannot be read: only if no response is on its way that it would become a part of,
   * and that very request is not answered already.
   */
  mayBeRefused(socket: Socket): boolean {
    const { unfinished = [] } = this.#connections.get(socket) ?? {}
    return !unfinished.some(({ headersSent, writableFinished, req }) => headersSent && (!writableFinished || !req.complete))
  }

  /**
   * Closes the connections whose clients have taken nothing of what waited for them at the last look. The time that an operation takes does
   * not count, as nothing waits for the client then. A long answer waits in pieces (see http-response.ts), and a piece counts once all of
   * it is taken: a client cannot keep an answer waiting by reading a byte now and then.
   */
  closeSlowReaders(): void {
    for (const [socket, connection] of this.#connections) {
      const unsent = socket.writableLength
      // `bytesWritten` has the bytes in it that wait.
      const sent = socket.bytesWritten - unsent
      if (connection.unsent > 0 && sent === connection.sent) {
        this.log.warn('closed a connection whose client does not read its answer')
        // An ordinary end would leave to the system what the client has not taken yet.
        socket.resetAndDestroy()
      }
      connection.sent = sent
      connection.unsent = unsent
    }
  }
}

/** Node tells so only the response that is being sent, and not those that wait behind it. */
function tellThatItIsClosed(response: ServerResponse): void {
  response.destroy()
  response.emit('close')
}
