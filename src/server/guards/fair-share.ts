import type { ExecutionArgs } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { FairQueue, WaitedInVainError } from '../../request-scope/fair-queue.js'
import { currentScope } from '../../request-scope/request-scope.js'
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
  readonly #waitMs: number

  constructor({ costInFlight, organisationShare, waitMs }: FairShareSettings) {
    this.#share = Math.max(1, Math.floor(costInFlight * organisationShare))
    this.#queue = new FairQueue(costInFlight, this.#share)
    this.#waitMs = waitMs
  }

  /** Executes an operation when it is its turn. It is in flight until the scope of its request is over. */
  run(args: ExecutionArgs, execute: () => unknown): unknown {
    const { budget, viewer } = asContext(args.contextValue)
    const scope = currentScope()
    if (!scope) return execute()
    const organisation = viewer.organisation.id
    const places = Math.min(this.#share, Math.max(LEAST_COST_OF_FIELD * budget.rootFields, budget.cost))
    const begin = (): unknown => {
      scope.whenOver(() => this.#queue.leave(organisation, places))
      return scope.interruption === undefined ? execute() : interruptedResult(scope.interruption)
    }
    const refuse = (error: unknown) => {
      if (!(error instanceof WaitedInVainError)) throw error
      scope.interrupt('OVERLOADED')
      return interruptedResult(scope.interruption ?? 'OVERLOADED')
    }
    const entered = this.#queue.enter(organisation, this.#waitMs, places, scope)
    return entered ? entered.then(begin, refuse) : begin()
  }
}

/** Lets queries and mutations wait for their turn. So one organisation takes neither all of the time nor all of the memory. */
export function useFairShare(operations: OperationsInFlight): Plugin {
  return {
    onExecute({ executeFn, setExecuteFn }) {
      setExecuteFn((args: ExecutionArgs) => operations.run(args, () => executeFn(args)))
    },
  }
}
