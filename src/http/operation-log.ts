import { randomUUID } from 'node:crypto'
import type { Plugin } from 'graphql-yoga'
import type { Logger } from 'pino'
import { currentOperation, Operation, runOperation } from '../operation.js'
import type { Viewer } from '../shared/viewer.js'
import type { Operated } from './operated.js'

/** Ids of requests that others have given are taken when they look like one. */
const REQUEST_ID = /^[\w.:-]{1,100}$/

/**
 * Gives each request an id, which its answer carries as X-Request-Id and its revisions keep, and
 * writes one line of log for it: never its variables, its document or its credential.
 */
export function useOperationLog(path: string, viewers: WeakMap<Request, Viewer>, log: Logger): Plugin {
  return {
    instrumentation: {
      request({ request }, wrapped) {
        const given = request.headers.get('x-request-id')
        return runOperation(new Operation(given !== null && REQUEST_ID.test(given) ? given : randomUUID()), wrapped)
      },
    },
    onExecute: ({ args }) => name(args),
    onSubscribe: ({ args }) => name(args),
    onResponse({ request, response }) {
      const operation = currentOperation()
      if (!operation) return
      response.headers.set('x-request-id', operation.requestId)
      response.headers.set('x-content-type-options', 'nosniff')
      if (!response.headers.has('cache-control')) response.headers.set('cache-control', 'no-store')
      if (new URL(request.url).pathname !== path) return
      const viewer = viewers.get(request)
      log.info(
        {
          requestId: operation.requestId,
          operationName: operation.name,
          viewer: viewer?.actor,
          organisation: viewer?.organisation.id,
          status: response.status,
          durationMs: Math.round((performance.now() - operation.startedAt) * 1000) / 1000,
          statements: operation.statements,
          interruption: operation.interruption,
        },
        'request',
      )
    },
  }
}

function name({ operationName }: Operated): void {
  const operation = currentOperation()
  // A GraphQL name has any length.
  if (operation && operationName) operation.name = operationName.slice(0, 100)
}
