import { AsyncLocalStorage } from 'node:async_hooks'
import { Client, type ClientBase } from 'pg'

/** Why the SQL of a request was not executed to its end. */
export type Interruption = 'TIMEOUT' | 'OVERLOADED' | 'ABANDONED'

/** One HTTP request at work: its name in the log, what it has counted, and the connections that are executing its SQL. */
export class RequestScope {
  /** How many SQL statements it has sent, apart from the look-up of its credential, which requests share. */
  statements = 0
  /** How many rows it left as they were because they had another version than it expected. */
  conflicts = 0
  /** The first reason for which its SQL was not executed to its end. */
  interruption: Interruption | undefined
  /** What the client calls its operation, once that is known. */
  operationName: string | undefined
  readonly startedAt = performance.now()
  /** Whether nobody waits for the answer any more. */
  hasClientLeft = false
  /** Called when the client leaves. */
  onClientLeft: (() => void) | undefined
  readonly #connections = new Set<ClientBase>()
  readonly #listeners: (() => void)[] = []
  #timer: NodeJS.Timeout | undefined
  #expire: (() => void) | undefined

  /** @param members whom it stands for, if for others than itself */
  constructor(
    readonly requestId: string,
    readonly members: readonly RequestScope[] = [],
  ) {}

  /** Notes that nobody waits for the answer any more. */
  clientLeft(): void {
    this.hasClientLeft = true
    this.onClientLeft?.()
  }

  /** Calls `expire` after so many milliseconds, unless that is prolonged or stopped first. */
  startDeadline(timeoutMs: number, expire: () => void): void {
    this.#expire = expire
    this.#timer = setTimeout(expire, timeoutMs)
  }

  /** Gives the request so many milliseconds from now on, if it has a deadline. */
  prolongDeadline(timeoutMs: number): void {
    if (!this.#expire) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#expire, timeoutMs)
  }

  stopDeadline(): void {
    clearTimeout(this.#timer)
    this.#expire = undefined
  }

  /** Notes a connection for as long as it works for this request. */
  hold(connection: ClientBase): void {
    this.#connections.add(connection)
  }

  release(connection: ClientBase): void {
    this.#connections.delete(connection)
  }

  /**
   * Gives the request up: no further statement is sent, and those being executed lose their connection.
   * PostgreSQL then ends them by itself; whether the last one of a write took effect is not known.
   */
  interrupt(reason: Interruption): void {
    this.interruption ??= reason
    for (const hear of this.#listeners.splice(0)) hear()
    for (const connection of this.#connections) {
      if (connection instanceof Client) void connection.end()
    }
  }

  /** Calls back when the request is given up, or at once if it has been. */
  whenInterrupted(hear: () => void): void {
    if (this.interruption === undefined) this.#listeners.push(hear)
    else hear()
  }
}

/**
 * A scope for what several requests wait for together: it is given up once all of them are. A single request
 * keeps its own scope; without any there is none.
 */
export function jointScope(members: RequestScope[]): RequestScope | undefined {
  const [first, ...others] = members
  if (!first || others.length === 0) return first
  const joint = new RequestScope(first.requestId, members)
  let waiting = members.length
  for (const member of members) {
    member.whenInterrupted(() => {
      waiting -= 1
      if (waiting === 0) joint.interrupt('ABANDONED')
    })
  }
  return joint
}

const scopes = new AsyncLocalStorage<RequestScope>()

/** The request that the running code works for; undefined outside of any. */
export function currentScope(): RequestScope | undefined {
  return scopes.getStore()
}

export function runInScope<Result>(scope: RequestScope, run: () => Result): Result {
  return scopes.run(scope, run)
}

/** Runs what belongs to no request, although one has set it off. */
export function runOutsideOfRequests<Result>(run: () => Result): Result {
  return scopes.exit(run)
}
