import { randomUUID } from 'node:crypto'
import type { Plugin } from 'graphql-yoga'
import type { Logger } from 'pino'
import type { RequestHeaders } from '../auth.js'
import { currentOperation, Operation, runOperation } from '../operation.js'
import type { Viewer } from '../shared/viewer.js'
import type { Operated } from './operated.js'

/** Ids of requests that others have given are taken when they look like one. */
const REQUEST_ID = /^[\w.:-]{1,100}$/

/** A request begins: under the id that it brings, or a new one. */
export function beginOperation(headers: RequestHeaders): Operation {
  const given = headers.get('x-request-id')
  return new Operation(given !== null && REQUEST_ID.test(given) ? given : randomUUID())
}

/** What every answer carries. */
export function commonHeaders({ requestId }: Operation): Record<string, string> {
  return { 'x-request-id': requestId, 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' }
}

/** Writes the one line of log of a request: never its variables, its document or its credential. */
export function logAnswer(log: Logger, operation: Operation, viewer: Viewer | undefined, status: number): void {
  log.info(
    {
      requestId: operation.requestId,
      operationName: operation.name,
      viewer: viewer?.actor,
      organisation: viewer?.organisation.id,
      status,
      durationMs: Math.round((performance.now() - operation.startedAt) * 1000) / 1000,
      statements: operation.statements,
      interruption: operation.interruption,
    },
    'request',
  )
}

/** Does the same for the requests that Yoga answers. */
export function useOperationLog(path: string, viewers: WeakMap<Request, Viewer>, log: Logger): Plugin {
  return {
    instrumentation: {
      // One that was handed over has begun already.
      request: ({ request }, wrapped) => (currentOperation() ? wrapped() : runOperation(beginOperation(request.headers), wrapped)),
    },
    onExecute: ({ args }) => nameOperation(args),
    onSubscribe: ({ args }) => nameOperation(args),
    onResponse({ request, response }) {
      const operation = currentOperation()
      if (!operation) return
      for (const [name, value] of Object.entries(commonHeaders(operation))) {
        if (name !== 'cache-control' || !response.headers.has(name)) response.headers.set(name, value)
      }
      if (new URL(request.url).pathname === path) logAnswer(log, operation, viewers.get(request), response.status)
    },
  }
}

/** Remembers what the client calls its operation. */
export function nameOperation({ operationName }: Operated): void {
  const operation = currentOperation()
  // A GraphQL name has any length.
  if (operation && operationName) operation.name = operationName.slice(0, 100)
}
