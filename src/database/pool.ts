import { Client, type ClientBase, Pool, type PoolClient, type PoolConfig } from 'pg'
import { FairQueue, type Sharer } from '../request-scope/fair-queue.js'
import { currentScope, type RequestScope } from '../request-scope/request-scope.js'
import { isTurnOver, nextTurn } from '../request-scope/turns.js'

type ConnectCallback = (error: Error | undefined, client: PoolClient | undefined, done: (release?: Error | boolean) => void) => void

/**
 * A request got no connection: none became free within the time that it may wait, none could be opened, or it was interrupted before. Nothing
 * was sent.
 */
export class NoConnectionError extends Error {}

export interface RequestPoolConfig extends PoolConfig {
  /** How many connections there are at most. */
  max: number
  /** How many of them one organisation may use at a time. */
  share: number
  /** How long a request waits for a free connection, in milliseconds. */
  waitMs: number
  /** Whether a connection may be closed in the middle of a statement. PGlite's only one may not. */
  canInterrupt: boolean
}

/**
 * How many connections one request may use at a time. Its other statements wait for these: PostgreSQL shares few cores, so that more at the
 * same time would end hardly sooner, and would leave less for other requests.
 */
const CONNECTIONS_OF_REQUEST = 2

/** Who uses a connection. */
interface Holder {
  sharer: Sharer
  scope: RequestScope | undefined
}

/**
 * A pool whose connections organisations share fairly. It tells the scope of each request which connections it uses, so that its SQL can be
 * cancelled when it is interrupted, and how much the database sends it.
 */
export class RequestPool extends Pool {
  readonly #queue: FairQueue
  readonly #holders = new WeakMap<ClientBase, Holder>()
  /** Where the statements of a request wait for each other. */
  readonly #queues = new WeakMap<RequestScope, FairQueue>()

  constructor(private readonly config: RequestPoolConfig) {
    super(config)
    this.#queue = new FairQueue(config.max, config.share)
    this.on('connect', (client) => {
      if (client instanceof Client) client.connection.stream.on('data', (chunk: Buffer) => this.#received(client, chunk))
    })
    this.on('release', (_, client) => this.#release(client))
  }

  /** How many wait for a connection. */
  get waiting(): number {
    return this.#queue.waiting
  }

  override connect(): Promise<PoolClient>
  override connect(callback: ConnectCallback): void
  override connect(callback?: ConnectCallback): Promise<PoolClient> | void {
    const taken = this.#take()
    if (!callback) return taken
    taken.then(
      (client) => callback(undefined, client, (release) => client.release(release)),
      (error: unknown) => callback(error instanceof Error ? error : new Error('No connection.', { cause: error }), undefined, () => {}),
    )
  }

  async #take(): Promise<PoolClient> {
    const scope = currentScope()
    const sharer = scope?.organisationId
    const { waitMs, canInterrupt } = this.config
    if (isInterrupted(scope)) throw interrupted()
    const refuse = (cause: unknown) => {
      throw refused(scope, cause)
    }
    const ownQueue = this.#ownQueue(scope)
    // However long, as its deadline ends it.
    const own = ownQueue?.enter(undefined, Infinity, 1, scope)
    if (own) await own.catch(refuse)
    await this.#queue.enter(sharer, waitMs, 1, scope)?.catch((cause: unknown) => {
      ownQueue?.leave(undefined)
      refuse(cause)
    })
    try {
      const client = await super.connect().catch(refuse)
      if (isInterrupted(scope)) {
        client.release()
        throw interrupted()
      }
      this.#holders.set(client, { sharer, scope })
      if (canInterrupt) scope?.hold(client)
      return client
    } catch (error) {
      this.#leave({ sharer, scope })
      throw error
    }
  }

  #ownQueue(scope: RequestScope | undefined): FairQueue | undefined {
    if (!scope) return undefined
    let queue = this.#queues.get(scope)
    if (!queue) this.#queues.set(scope, (queue = new FairQueue(CONNECTIONS_OF_REQUEST, CONNECTIONS_OF_REQUEST)))
    return queue
  }

  #leave({ sharer, scope }: Holder): void {
    this.#queue.leave(sharer)
    if (scope) this.#queues.get(scope)?.leave(undefined)
  }

  /** To be called for what has been received of rows. Long results are read in turns of the event loop. */
  #received(client: Client, chunk: Buffer): void {
    const scope = this.#holders.get(client)?.scope
    scope?.received(chunk.length)
    if (!isTurnOver()) return
    const { stream } = client.connection
    stream.pause()
    // A connection that was closed meanwhile has nothing more to be read.
    void nextTurn(scope).finally(() => stream.resume()).catch(() => {})
  }

  #release(client: PoolClient): void {
    const holder = this.#holders.get(client)
    if (!holder) return
    this.#holders.delete(client)
    // Whoever is next may read at once.
    if (client instanceof Client) client.connection.stream.resume()
    holder.scope?.release(client)
    this.#leave(holder)
  }
}

function isInterrupted(scope: RequestScope | undefined): boolean {
  return scope?.interruption !== undefined
}

/** What a request is told that was interrupted before it had a connection: it sends nothing more. */
function interrupted(): NoConnectionError {
  return new NoConnectionError('The request was interrupted.')
}

function refused(scope: RequestScope | undefined, cause: unknown): NoConnectionError {
  scope?.interrupt('OVERLOADED')
  return new NoConnectionError('No connection to the database was to be had.', { cause })
}
