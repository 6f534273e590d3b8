import type { RequestScope } from './request-scope.js'

/** Nobody left for the whole time that one may wait, too many wait already, or the request that waited was interrupted. */
export class WaitedInVainError extends Error {}

/** Who shares: an organisation by its id, or the gateway itself. */
export type Sharer = string | undefined

interface Waiter {
  places: number
  enter(): void
}

/** How many of one sharer may wait at a time, so that what waits takes little memory. */
const MAX_WAITING = 1_000

/**
 * A number of places that organisations share fairly. Each has at most a share of them, so that some are left for the others; and when
 * several wait, they enter in turn, one after another, however many of each wait.
 */
export class FairQueue {
  #free: number
  readonly #taken = new Map<Sharer, number>()
  /** Those who wait. The organisation whose turn is next comes first. */
  readonly #waiting = new Map<Sharer, Set<Waiter>>()

  /** @param share How many of the places one organisation may have. */
  constructor(
    places: number,
    readonly share: number,
  ) {
    this.#free = places
  }

  /** How many wait. */
  get waiting(): number {
    return [...this.#waiting.values()].reduce((sum, { size }) => sum + size, 0)
  }

  /**
   * Takes places: at once, or when the promise resolves. Each call that does not reject needs one of `leave`.
   *
   * @param timeoutMs how long it may wait; Infinity for as long as it takes
   * @param scope of the request that waits, so that it does so no longer when it is interrupted
   * @throws WaitedInVainError
   */
  enter(sharer: Sharer, timeoutMs: number, places = 1, scope?: RequestScope): Promise<void> | undefined {
    const line = this.#waiting.get(sharer) ?? new Set<Waiter>()
    if (line.size === 0 && this.#fits(sharer, places)) {
      this.#take(sharer, places)
      return undefined
    }
    if (line.size >= MAX_WAITING) return Promise.reject(new WaitedInVainError('Too many wait already.'))
    this.#waiting.set(sharer, line)
    return new Promise((resolve, reject) => {
      const giveUp = (why: string) => {
        if (!line.delete(waiter)) return
        clearTimeout(timer)
        if (line.size === 0) this.#waiting.delete(sharer)
        reject(new WaitedInVainError(why))
        // It may have kept smaller ones waiting.
        this.#admit()
      }
      const timer = timeoutMs === Infinity ? undefined : setTimeout(giveUp, timeoutMs, 'Nobody left in time.')
      const waiter = {
        places,
        enter: () => {
          clearTimeout(timer)
          resolve()
        },
      }
      line.add(waiter)
      scope?.whenInterrupted(() => giveUp('The request was interrupted.'))
    })
  }

  /** Gives places back. */
  leave(sharer: Sharer, places = 1): void {
    this.#free += places
    const left = (this.#taken.get(sharer) ?? 0) - places
    if (left > 0) this.#taken.set(sharer, left)
    else this.#taken.delete(sharer)
    this.#admit()
  }

  #fits(sharer: Sharer, places: number): boolean {
    if (places > this.#free) return false
    // The gateway's own work is short and serves everybody.
    return sharer === undefined || (this.#taken.get(sharer) ?? 0) + places <= this.share
  }

  #take(sharer: Sharer, places: number): void {
    this.#free -= places
    this.#taken.set(sharer, (this.#taken.get(sharer) ?? 0) + places)
  }

  /** Lets in who fits, one of each organisation at a time. */
  #admit(): void {
    for (let entered = true; entered; ) {
      entered = false
      for (const [sharer, line] of [...this.#waiting]) {
        const [first] = line
        if (!first || !this.#fits(sharer, first.places)) continue
        entered = true
        line.delete(first)
        this.#waiting.delete(sharer)
        if (line.size > 0) this.#waiting.set(sharer, line)
        this.#take(sharer, first.places)
        first.enter()
      }
    }
  }
}
