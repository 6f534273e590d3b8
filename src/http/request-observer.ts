import type { GraphQLError } from 'graphql'
import { isAsyncIterable, type Plugin } from 'graphql-yoga'
import type { RequestHeaders } from '../auth.js'
import { currentOperation, type Operation } from '../operation.js'
import type { ServerContext } from './handed-over.js'
import type { Operated } from './operated.js'

/** Hears of each request to the GraphQL path, and changes nothing of it. */
export interface RequestObserver {
  received?(operation: Operation, request: { method: string; headers: RequestHeaders }): void
  executing?(operation: Operation, operated: Operated): void
  /** The errors of its answer, as the client is told them. */
  failed?(errors: readonly GraphQLError[]): void
  answered?(operation: Operation, status: number): void
}

/** Tells the observers of the requests that Yoga answers. */
export function useObservers(observers: RequestObserver[], path: string): Plugin<object, ServerContext> {
  const executing = (operated: Operated) => {
    const operation = currentOperation()
    if (operation) for (const observer of observers) observer.executing?.(operation, operated)
  }
  return {
    onRequest({ request, url, serverContext }) {
      const operation = currentOperation()
      if (!operation || url.pathname !== path || serverContext.viewer) return
      for (const observer of observers) observer.received?.(operation, request)
    },
    onExecute: ({ args }) => executing(args),
    onSubscribe: ({ args }) => executing(args),
    onResultProcess({ result }) {
      if (Array.isArray(result) || isAsyncIterable(result) || !result.errors) return
      for (const observer of observers) observer.failed?.(result.errors)
    },
    onResponse({ request, response }) {
      const operation = currentOperation()
      if (!operation || new URL(request.url).pathname !== path) return
      for (const observer of observers) observer.answered?.(operation, response.status)
    },
  }
}
