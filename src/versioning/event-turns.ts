import { FairQueue } from '../request-scope/fair-queue.js'
import { runOutsideOfRequests } from '../request-scope/request-scope.js'
import { nextTurn } from '../request-scope/turns.js'

/** Events of one organisation that were there at the same time. They are executed one after another, and may show the same read of a row. */
export type Burst = object

/** How many events of an organisation are executed at a time, and how many begin in one turn of the event loop. */
export const EVENTS_AT_A_TIME = 10

/** The turn of one event. */
export interface EventTurn {
  burst: Burst
  /** To be called when the event has been executed. */
  over(): void
}

/**
 * Lets the events of an organisation be executed a few at a time. One write can make as many events as there are subscriptions, and all of them
 * at the same moment: they must neither be executed in one piece nor wait, each for itself, in front of what others have to do.
 */
export class EventTurns {
  /** Those who wait for their turn, by organisation. */
  readonly #waiting = new Map<string, ((turn: EventTurn) => void)[]>()
  readonly #executing = new FairQueue(Infinity, EVENTS_AT_A_TIME)

  /** Resolves when it is the turn of an event. */
  next(organisationId: string): Promise<EventTurn> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(organisationId)
      if (waiting) {
        waiting.push(resolve)
        return
      }
      this.#waiting.set(organisationId, [resolve])
      void runOutsideOfRequests(() => this.#conduct(organisationId))
    })
  }

  /** Gives the events of an organisation their turns until none waits. */
  async #conduct(organisationId: string): Promise<void> {
    const over = () => this.#executing.leave(organisationId)
    for (;;) {
      // All that come in this turn of the event loop are one burst.
      await nextTurn(undefined, organisationId)
      const waiting = this.#waiting.get(organisationId) ?? []
      if (waiting.length === 0) break
      this.#waiting.set(organisationId, [])
      const burst = {}
      for (const [index, begin] of waiting.entries()) {
        // What the ones before have answered is written to their connections in the same turn.
        if (index > 0 && index % EVENTS_AT_A_TIME === 0) await new Promise(setImmediate)
        await this.#executing.enter(organisationId, Infinity)
        begin({ burst, over })
      }
    }
    this.#waiting.delete(organisationId)
  }
}
