import { createSourceEventStream, execute, type ExecutionArgs } from 'graphql'
import { isAsyncIterable, map, type Plugin } from 'graphql-yoga'
import { Loaders } from '../../graphql/loaders.js'
import { currentScope, eventScope, type RequestScope, runInScope } from '../../request-scope/request-scope.js'
import { asContext } from '../context.js'
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
  function executeWithinLimits(args: ExecutionArgs): unknown {
    const run = () => withinBytes(answerBytes, args, () => execute(args))
    return withinDeadline(operationTimeoutMs, args, () => operations.run(args, run))
  }

  async function executeEvent(args: ExecutionArgs, stream: RequestScope): Promise<unknown> {
    const context = asContext(args.contextValue)
    const scope = eventScope(stream)
    stream.onClientLeft = () => scope.interrupt('ABANDONED')
    const contextValue = { ...context, loaders: new Loaders(context), budget: context.budget.renewed() }
    try {
      return await runInScope(scope, () => executeWithinLimits({ ...args, contextValue }))
    } finally {
      scope.over()
    }
  }

  return {
    onSubscribe({ setSubscribeFn }) {
      setSubscribeFn(async (args: ExecutionArgs): Promise<unknown> => {
        const stream = currentScope()
        if (!stream) throw new Error('A subscription belongs to no request.')
        const events = await createSourceEventStream(args)
        if (!isAsyncIterable(events)) return events
        return map((event: unknown) => executeEvent({ ...args, rootValue: event }, stream))(events)
      })
    },
  }
}
