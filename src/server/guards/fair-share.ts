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

/** An operation that costs less counts as much. */
const LEAST_COST = 1_000

/**
 * Lets operations wait for their turn, organisation by organisation, while those in flight cost too much together. So one organisation takes
 * neither all of the time nor all of the memory. An operation is in flight until its answer has been sent.
 */
export function useFairShare({ costInFlight, organisationShare, waitMs }: FairShareSettings): Plugin {
  const share = Math.max(1, Math.floor(costInFlight * organisationShare))
  const queue = new FairQueue(costInFlight, share)
  return {
    onExecute({ executeFn, setExecuteFn }) {
      setExecuteFn((args: ExecutionArgs): unknown => {
        const { budget, viewer } = asContext(args.contextValue)
        const scope = currentScope()
        if (!scope) return executeFn(args)
        const organisation = viewer.organisation.id
        const places = Math.min(share, Math.max(LEAST_COST, budget.cost))
        const execute = (): unknown => {
          scope.whenOver(() => queue.leave(organisation, places))
          return scope.interruption === undefined ? executeFn(args) : interruptedResult(scope.interruption)
        }
        const refuse = (error: unknown) => {
          if (!(error instanceof WaitedInVainError)) throw error
          scope.interrupt('OVERLOADED')
          return interruptedResult('OVERLOADED')
        }
        const entered = queue.enter(organisation, waitMs, places)
        return entered ? entered.then(execute, refuse) : execute()
      })
    },
  }
}
