import { isAsyncIterable, type Plugin } from 'graphql-yoga'
import type { ExecutedOperation, RequestObserver } from '../../observability/request-observer.js'
import { currentScope } from '../../request-scope/request-scope.js'

/** Notes the name of the operation for the log, and tells the observers what is executed and which errors the client gets. */
export function useObservation(observers: RequestObserver[]): Plugin {
  const executing = (executed: ExecutedOperation) => {
    const scope = currentScope()
    if (!scope) return
    // GraphQL does not limit the length of a name; the log does.
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
