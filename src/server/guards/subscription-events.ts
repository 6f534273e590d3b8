import { createSourceEventStream, execute, type ExecutionArgs } from 'graphql'
import { isAsyncIterable, mapAsyncIterator, type Plugin } from 'graphql-yoga'
import { Loaders } from '../../graphql/loaders.js'
import { currentScope, detachedScope, type RequestScope, runInScope } from '../../request-scope/request-scope.js'
import { nextTurn } from '../../request-scope/turns.js'
import { EventTurns } from '../../versioning/event-turns.js'
import { asContext } from '../context.js'
import { interruptedResult } from '../http/masked-errors.js'
import { withinBytes } from './answer-limit.js'
import { withinDeadline } from './deadline.js'
import type { OperationsInFlight } from './fair-share.js'

interface EventLimits {
  operationTimeoutMs: number
  answerBytes: number
  operations: OperationsInFlight
}

/**
 * Executes each event of a subscription as an operation of its own: with loaders of its own, because rows that were loaded for an earlier
 * event may have changed, and within the same limits as a query.
 */
export function useSubscriptionEvents({ operationTimeoutMs, answerBytes, operations }: EventLimits): Plugin {
  const turns = new EventTurns()

  async function executeInTurn(args: ExecutionArgs, scope: RequestScope): Promise<unknown> {
    // It waits as long as its deadline lets it: an event that was refused would be lost.
    await operations.enter(args, scope, Infinity)
    await nextTurn(scope, asContext(args.contextValue).viewer.organisation.id)
    return withinBytes(answerBytes, args, () => execute(args))
  }

  async function executeEvent(args: ExecutionArgs, scope: RequestScope): Promise<unknown> {
    try {
      const result = await withinDeadline(operationTimeoutMs, args, () => executeInTurn(args, scope))
      return scope.interruption === undefined ? result : interruptedResult(scope.interruption)
    } catch (error) {
      if (scope.interruption === undefined) throw error
      return interruptedResult(scope.interruption)
    } finally {
      scope.over()
    }
  }

  return {
    onSubscribe({ setSubscribeFn }) {
      setSubscribeFn(async (args: ExecutionArgs): Promise<unknown> => {
        const stream = currentScope()
        if (!stream) throw new Error('A subscription belongs to no request.')
        const changes = await createSourceEventStream(args)
        if (!isAsyncIterable(changes)) return changes
        const context = asContext(args.contextValue)
        let scope: RequestScope | undefined
        let hasEnded = false
        stream.whenOver(() => {
          hasEnded = true
          scope?.interrupt('ABANDONED')
        })
        return mapAsyncIterator(changes, async (change: unknown) => {
          const { burst, over } = await turns.next(context.viewer.organisation.id)
          const ofEvent = (scope = detachedScope(stream))
          ofEvent.whenOver(over)
          if (hasEnded) ofEvent.interrupt('ABANDONED')
          const contextValue = { ...context, burst, loaders: new Loaders(context), budget: context.budget.renewed() }
          return runInScope(ofEvent, () => executeEvent({ ...args, contextValue, rootValue: change }, ofEvent))
        })
      })
    },
  }
}
