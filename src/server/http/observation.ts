import { isAsyncIterable, type Plugin } from 'graphql-yoga'
import type { ExecutedOperation, RequestObserver } from '../../observability/request-observer.js'
import { currentScope } from '../../request-scope/request-scope.js'

/** Remembers for the log what the client calls its operation, and tells the observers what is executed and what has failed of it. */
export function useObservation(observers: RequestObserver[]): Plugin {
  const executing = (executed: ExecutedOperation) => {
    const scope = currentScope()
    if (!scope) return
    // A GraphQL name has any length.
    scope.operationName = executed.operationName?.slice(0, 100)
    for (const observer of observers) observer.executing?.(scope, executed)
  }
  return {
    onExecute: ({ args }) => executing(args),
    onSubscribe: ({ args }) => executing(args),
    onResultProcess({ result }) {
      if (Array.isArray(result) || isAsyncIterable(result) || !result.errors) return
      for (const observer of observers) observer.failed?.(result.errors)
    },
  }
}
