import type { ExecutionArgs } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { FairQueue, WaitedInVainError } from '../../request-scope/fair-queue.js'
import { currentScope, type RequestScope } from '../../request-scope/request-scope.js'
import { asContext } from '../context.js'
import { interruptedResult } from '../http/masked-errors.js'

export interface FairShareSettings {
  /** What the operations in flight may cost in all. */
  costInFlight: number
  /** The part of it that one organisation may have, above 0 and at most 1. */
  organisationShare: number
  /** How long an operation waits for its turn, in milliseconds. */
  waitMs: number
}

/** An operation that costs less for each of its root fields counts as much: each takes a statement or more. */
const LEAST_COST_OF_FIELD = 1_000

/** The operations in flight. They wait for their turn, organisation by organisation, while all that are in flight cost too much together. */
export class OperationsInFlight {
  readonly #queue: FairQueue
  readonly #share: number

  constructor(readonly settings: FairShareSettings) {
    const { costInFlight, organisationShare } = settings
    this.#share = Math.max(1, Math.floor(costInFlight * organisationShare))
    this.#queue = new FairQueue(costInFlight, this.#share)
  }

  /**
   * Lets an operation in: at once, or when the promise resolves. It is in flight until its scope is over. One that has waited in vain is
   * interrupted.
   */
  enter({ contextValue }: ExecutionArgs, scope: RequestScope, waitMs = this.settings.waitMs): Promise<void> | undefined {
    const { budget, viewer } = asContext(contextValue)
    const organisation = viewer.organisation.id
    const places = Math.min(this.#share, Math.max(LEAST_COST_OF_FIELD * budget.rootFields, budget.cost))
    const stay = () => scope.whenOver(() => this.#queue.leave(organisation, places))
    const giveUp = (error: unknown) => {
      if (!(error instanceof WaitedInVainError)) throw error
      scope.interrupt('OVERLOADED')
    }
    const entered = this.#queue.enter(organisation, waitMs, places, scope)
    if (entered) return entered.then(stay, giveUp)
    stay()
    return undefined
  }
}

/** Lets queries and mutations wait for their turn. So one organisation takes neither all of the time nor all of the memory. */
export function useFairShare(operations: OperationsInFlight): Plugin {
  return {
    onExecute({ executeFn, setExecuteFn }) {
      setExecuteFn((args: ExecutionArgs): unknown => {
        const scope = currentScope()
        if (!scope) return executeFn(args)
        const execute = (): unknown => (scope.interruption === undefined ? executeFn(args) : interruptedResult(scope.interruption))
        const entered = operations.enter(args, scope)
        return entered ? entered.then(execute) : execute()
      })
    },
  }
}
