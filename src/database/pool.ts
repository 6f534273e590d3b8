import { AsyncResource } from 'node:async_hooks'
import { Pool, type PoolClient, type PoolConfig } from 'pg'
import { currentScope, type RequestScope } from '../request-scope/request-scope.js'

type ConnectCallback = (error: Error | undefined, client: PoolClient | undefined, done: (release?: Error | boolean) => void) => void

/** Nothing was sent, as no connection was free for as long as a request waits for one. */
export class NoConnectionError extends Error {}

/** A pool whose connections are known to the request that they work for, so that its SQL can be ended with it. */
export class RequestPool extends Pool {
  readonly #holders = new WeakMap<PoolClient, RequestScope>()

  /** @param canInterrupt whether a connection may be cut off in the middle of a statement */
  constructor(
    config: PoolConfig,
    private readonly canInterrupt: boolean,
  ) {
    super(config)
    this.on('release', (_, client) => this.#holders.get(client)?.release(client))
  }

  override connect(): Promise<PoolClient>
  override connect(callback: ConnectCallback): void
  override connect(callback?: ConnectCallback): Promise<PoolClient> | void {
    const scope = currentScope()
    const taken = (client: PoolClient) => {
      if (!scope || !this.canInterrupt) return
      this.#holders.set(client, scope)
      scope.hold(client)
    }
    const isInterrupted = () => scope?.interruption !== undefined
    const interrupted = () => new Error('The request was interrupted.')
    const refused = (cause: unknown) => {
      scope?.interrupt('OVERLOADED')
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
    // A connection is handed on by whoever returns it, so that the callback would run in that one's scope.
    const context = new AsyncResource('PoolClientRequest')
    const inContext: ConnectCallback = (error, client, done) => context.runInAsyncScope(callback, undefined, error, client, done)
    super.connect((error, client, done) => {
      if (!client) return inContext(refused(error), undefined, done)
      // A request that was interrupted while it waited for a connection sends nothing more.
      if (isInterrupted()) {
        done()
        return inContext(interrupted(), undefined, () => {})
      }
      taken(client)
      inContext(error, client, done)
    })
  }
}
