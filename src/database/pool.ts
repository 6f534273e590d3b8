import { AsyncResource } from 'node:async_hooks'
import { Pool, type PoolClient, type PoolConfig } from 'pg'
import { currentScope, type RequestScope } from '../request-scope/request-scope.js'

type ConnectCallback = (error: Error | undefined, client: PoolClient | undefined, done: (release?: Error | boolean) => void) => void

/** No connection became free within the time that a request may wait for one, or none could be opened. Nothing was sent. */
export class NoConnectionError extends Error {}

/** A pool that tells the scope of each request which connections it uses, so that its SQL can be cancelled when it is interrupted. */
export class RequestPool extends Pool {
  readonly #holders = new WeakMap<PoolClient, RequestScope>()

  /** @param canInterrupt Whether a connection may be closed in the middle of a statement. PGlite's only one may not. */
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
    // The pool calls back from the request that releases a connection; without this, the callback would run in that request's scope.
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
