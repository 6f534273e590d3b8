import { AsyncResource } from 'node:async_hooks'
import { Pool, type PoolClient, type PoolConfig } from 'pg'
import { currentOperation, type Operation } from './operation.js'

type ConnectCallback = (error: Error | undefined, client: PoolClient | undefined, done: (release?: Error | boolean) => void) => void

/** Nothing was sent, as no connection was free for as long as a request waits for one. */
export class NoConnectionError extends Error {}

/** A pool whose connections are known to the operation that they work for. */
export class OperationPool extends Pool {
  /** @param canInterrupt whether a connection may be cut off in the middle of a statement */
  constructor(config: PoolConfig, private readonly canInterrupt: boolean) {
    super(config)
    this.on('release', (_, client) => this.#holders.get(client)?.letGo(client))
  }

  readonly #holders = new WeakMap<PoolClient, Operation>()

  override connect(): Promise<PoolClient>
  override connect(callback: ConnectCallback): void
  override connect(callback?: ConnectCallback): Promise<PoolClient> | void {
    const operation = currentOperation()
    const taken = (client: PoolClient) => {
      if (!operation || !this.canInterrupt) return
      this.#holders.set(client, operation)
      operation.hold(client)
    }
    const isInterrupted = () => operation?.interruption !== undefined
    const interrupted = () => new Error('The operation was interrupted.')
    const refused = (cause: unknown) => {
      operation?.interrupt('OVERLOADED')
      return new NoConnectionError('No connection to the database was to be had.', { cause })
    }
    if (!callback) {
      if (isInterrupted()) return Promise.reject(interrupted())
      return super.connect().then(
        (client) => {
          if (isInterrupted()) {
            client.release()
            throw interrupted()
          }
          taken(client)
          return client
        },
        (error: unknown) => {
          throw refused(error)
        },
      )
    }
    if (isInterrupted()) return callback(interrupted(), undefined, () => {})
    // A connection is handed over by whoever returns it, in the context of that one's operation.
    const context = new AsyncResource('PoolClientRequest')
    const inContext: ConnectCallback = (error, client, done) => context.runInAsyncScope(callback, undefined, error, client, done)
    super.connect((error, client, done) => {
      if (!client) return inContext(refused(error), undefined, done)
      // The operation can be interrupted while it waits in the queue: it sends nothing more then.
      if (isInterrupted()) {
        done()
        return inContext(interrupted(), undefined, () => {})
      }
      taken(client)
      inContext(error, client, done)
    })
  }
}
