import { AsyncLocalStorage } from 'node:async_hooks'
import { Client, type ClientBase } from 'pg'

/** Why the SQL of an operation was not executed to its end. */
export type Interruption = 'TIMEOUT' | 'OVERLOADED' | 'ABANDONED'

/** One HTTP request at work: what it is called in the log, and the SQL that it is executing. */
export class Operation {
  /** How many SQL statements it has sent, apart from the look-up of its credential, which requests share. */
  statements = 0
  /** How many rows it left as they were because they had another version than it expected. */
  conflicts = 0
  /** The first reason for which its SQL was not executed to its end. */
  interruption: Interruption | undefined
  /** What the client asked for by name, once that is known. */
  name: string | undefined
  readonly startedAt = performance.now()
  readonly #connections = new Set<ClientBase>()
  readonly #listeners: (() => void)[] = []

  /** @param members whom it stands for, if for others than itself */
  constructor(
    readonly requestId: string,
    readonly members: readonly Operation[] = [],
  ) {}

  #timer: NodeJS.Timeout | undefined
  #expire: (() => void) | undefined

  /** Calls `expire` after so many milliseconds, unless that is prolonged or stopped first. */
  startDeadline(timeoutMs: number, expire: () => void): void {
    this.#expire = expire
    this.#timer = setTimeout(expire, timeoutMs)
  }

  /** Gives the operation so many milliseconds from now on, if it has a deadline. */
  prolongDeadline(timeoutMs: number): void {
    if (!this.#expire) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#expire, timeoutMs)
  }

  stopDeadline(): void {
    clearTimeout(this.#timer)
    this.#expire = undefined
  }

  /** Notes a connection for as long as it works for this operation. */
  hold(connection: ClientBase): void {
    this.#connections.add(connection)
  }

  letGo(connection: ClientBase): void {
    this.#connections.delete(connection)
  }

  /**
   * Gives up: no further statement is sent, and those being executed lose their connection.
   * PostgreSQL then ends them by itself; whether the last one of a write took effect is not known.
   */
  interrupt(reason: Interruption): void {
    this.interruption ??= reason
    for (const hear of this.#listeners.splice(0)) hear()
    for (const connection of this.#connections) {
      if (connection instanceof Client) void connection.end()
    }
  }

  /** Calls back when it is given up, or at once if it has been. */
  whenInterrupted(hear: () => void): void {
    if (this.interruption === undefined) this.#listeners.push(hear)
    else hear()
  }
}

/** Stands for operations that wait for the same: it is given up once all of them are. The only one is its own; undefined without any. */
export function jointOperation(members: Operation[]): Operation | undefined {
  const [first, ...others] = members
  if (!first || others.length === 0) return first
  const joint = new Operation(first.requestId, members)
  let waiting = members.length
  for (const member of members) {
    member.whenInterrupted(() => {
      waiting -= 1
      if (waiting === 0) joint.interrupt('ABANDONED')
    })
  }
  return joint
}

const operations = new AsyncLocalStorage<Operation>()

/** The operation that the running code works for; undefined outside of a request. */
export function currentOperation(): Operation | undefined {
  return operations.getStore()
}

export function runOperation<Result>(operation: Operation, run: () => Result): Result {
  return operations.run(operation, run)
}

/** Runs what belongs to no request, although one has set it off. */
export function outsideOfOperations<Result>(run: () => Result): Result {
  return operations.exit(run)
}
