import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { Viewer } from '../../domain/viewer.js'
import { RequestScope } from '../../request-scope/request-scope.js'
import type { HttpRequest } from './http-request.js'

/** Ids of requests that others have given are taken when they look like one. */
const REQUEST_ID = /^[\w.:-]{1,100}$/

/** A request begins: under the id that it brings, or a new one. */
export function beginRequest({ headers, whenClientLeaves }: HttpRequest): RequestScope {
  const given = headers.get('x-request-id')
  const scope = new RequestScope(given !== null && REQUEST_ID.test(given) ? given : randomUUID())
  whenClientLeaves(() => scope.clientLeft())
  return scope
}

/** What every answer carries. */
export function commonHeaders({ requestId }: RequestScope): Record<string, string> {
  return { 'x-request-id': requestId, 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' }
}

/** Writes the one line of log of a request: never its variables, its document or its credential. */
export function logRequest(log: Logger, scope: RequestScope, viewer: Viewer | undefined, status: number): void {
  log.info(
    {
      requestId: scope.requestId,
      operationName: scope.operationName,
      viewer: viewer?.actor,
      organisation: viewer?.organisation.id,
      status,
      durationMs: Math.round((performance.now() - scope.startedAt) * 1000) / 1000,
      statements: scope.statements,
      interruption: scope.interruption,
    },
    'request',
  )
}
