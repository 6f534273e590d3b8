import { AsyncLocalStorage } from 'node:async_hooks'
import { Client, type ClientBase } from 'pg'
import { Writes } from './writes.js'

/** Why a request was interrupted: its deadline passed, no connection to the database was free, its client disconnected, or it was about too much. */
export type Interruption = 'TIMEOUT' | 'OVERLOADED' | 'ABANDONED' | 'TOO_LARGE'

/** A limit that an operation exceeds, if that is seen only while it is executed. */
export interface ExceededLimit {
  limit: 'bytes' | 'cost'
  maximum: number
}

/** The state of one HTTP request: its id in the log, its counters, its writes, its deadline, and the connections that are executing its SQL. */
export class RequestScope {
  /** How many SQL statements it has sent, without the look-up of its credential, which requests share. */
  statements = 0
  /** How many rows it did not change because they had another version than expected. */
  conflicts = 0
  /** Why it was interrupted, if it was; the first reason counts. */
  interruption: Interruption | undefined
  /** What it exceeded, if it was TOO_LARGE. */
  exceeded: ExceededLimit | undefined
  /** The organisation that sent it, once its credential is known. */
  organisationId: string | undefined
  /** The operation name that the client sent, cut to 100 characters. */
  operationName: string | undefined
  readonly startedAt = performance.now()
  /** Whether the client has disconnected before the response was sent. */
  hasClientLeft = false
  /** Called when the client disconnects. */
  onClientLeft: (() => void) | undefined
  readonly #connections = new Set<ClientBase>()
  readonly #listeners: (() => void)[] = []
  #timer: NodeJS.Timeout | undefined
  #expire: (() => void) | undefined
  #writes: Writes | undefined
  #isOver = false
  readonly #endings: (() => void)[] = []

  /** How many bytes of results the database has sent it. */
  #received = 0
  #readsInPortions = false

  /**
   * @param maximumBytes How many bytes of results the database may send it.
   * @param members For a joint scope (see `jointScope`): the scopes of the requests. Otherwise empty.
   */
  constructor(
    readonly requestId: string,
    readonly maximumBytes = Infinity,
    readonly members: readonly RequestScope[] = [],
  ) {}

  /** What it has written. */
  get writes(): Writes {
    return (this.#writes ??= new Writes())
  }

  /** To be called when the client disconnects before the response was sent. */
  clientLeft(): void {
    this.hasClientLeft = true
    this.onClientLeft?.()
  }

  /** Calls `expire` after `timeoutMs`, unless the deadline is prolonged or stopped first. */
  startDeadline(timeoutMs: number, expire: () => void): void {
    this.#expire = expire
    this.#timer = setTimeout(expire, timeoutMs)
  }

  /** Moves the deadline, if there is one, to `timeoutMs` from now. */
  prolongDeadline(timeoutMs: number): void {
    if (!this.#expire) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#expire, timeoutMs)
  }

  stopDeadline(): void {
    clearTimeout(this.#timer)
    this.#expire = undefined
  }

  /** Counts bytes that the database has sent to the request, and interrupts it when they are too many. */
  received(bytes: number): void {
    if (this.#readsInPortions) return
    this.#received += bytes
    if (this.#received > this.maximumBytes) this.interrupt('TOO_LARGE', { limit: 'bytes', maximum: this.maximumBytes })
  }

  /** To be called by work that reads much, but keeps little of it at a time: what the database sends is not counted from now on. */
  readInPortions(): void {
    this.#readsInPortions = true
  }

  /** Notes that a connection executes SQL of this request, until `release`. */
  hold(connection: ClientBase): void {
    this.#connections.add(connection)
  }

  release(connection: ClientBase): void {
    this.#connections.delete(connection)
  }

  /**
   * Interrupts the request: no further statement is sent, and the connections of those being executed are closed. PostgreSQL then
   * cancels them. Whether the last statement of a write took effect is unknown.
   */
  interrupt(reason: Interruption, exceeded?: ExceededLimit): void {
    if (this.interruption !== undefined) return
    this.interruption = reason
    this.exceeded = exceeded
    for (const hear of this.#listeners.splice(0)) hear()
    for (const connection of this.#connections) {
      if (connection instanceof Client) void connection.end()
    }
  }

  /** Calls `end` when the answer has been sent or nobody is there to receive it, or at once if that has been so. */
  whenOver(end: () => void): void {
    if (this.#isOver) end()
    else this.#endings.push(end)
  }

  /** To be called when the answer has been sent or nobody is there to receive it. */
  over(): void {
    this.#isOver = true
    for (const end of this.#endings.splice(0)) end()
  }

  /** Calls `hear` when the request is interrupted, or at once if it has been. */
  whenInterrupted(hear: () => void): void {
    if (this.interruption === undefined) this.#listeners.push(hear)
    else hear()
  }
}

/**
 * A scope for a statement that several requests share. It is interrupted once all of them are. For a single request it is the request's own
 * scope; without requests it is undefined.
 */
export function jointScope(members: RequestScope[]): RequestScope | undefined {
  const [first, ...others] = members
  if (!first || others.length === 0) return first
  const joint = new RequestScope(first.requestId, Infinity, members)
  joint.organisationId = first.organisationId
  let waiting = members.length
  for (const member of members) {
    member.whenInterrupted(() => {
      waiting -= 1
      if (waiting === 0) joint.interrupt('ABANDONED')
    })
  }
  return joint
}

/**
 * A scope of the same request and organisation, with a deadline, bytes and connections of its own: for one event of a subscription, or for a
 * statement that several events share.
 */
export function detachedScope({ requestId, maximumBytes, organisationId }: RequestScope): RequestScope {
  const scope = new RequestScope(requestId, maximumBytes)
  scope.organisationId = organisationId
  return scope
}

const scopes = new AsyncLocalStorage<RequestScope>()

/** The scope of the request that the running code belongs to; undefined outside of requests. */
export function currentScope(): RequestScope | undefined {
  return scopes.getStore()
}

export function runInScope<Result>(scope: RequestScope, run: () => Result): Result {
  return scopes.run(scope, run)
}

/** Runs code that was started by a request but does not belong to it, so that it is not interrupted with the request. */
export function runOutsideOfRequests<Result>(run: () => Result): Result {
  return scopes.exit(run)
}
