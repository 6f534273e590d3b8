import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { Viewer } from '../../domain/viewer.js'
import { RequestScope } from '../../request-scope/request-scope.js'
import type { HttpRequest } from './http-request.js'

/** The ids that are accepted from a client's or proxy's X-Request-Id header. Others are replaced by a new one. */
const REQUEST_ID = /^[\w.:-]{1,100}$/

/** Makes the scope of a new request, under the id of its X-Request-Id header or a new one. @param maximumBytes that the database may send it */
export function beginRequest({ headers, whenClientLeaves }: HttpRequest, maximumBytes: number): RequestScope {
  const given = headers.get('x-request-id')
  const scope = new RequestScope(given !== null && REQUEST_ID.test(given) ? given : randomUUID(), maximumBytes)
  whenClientLeaves(() => scope.clientLeft())
  return scope
}

/** The headers of every response. */
export function commonHeaders({ requestId }: RequestScope): Record<string, string> {
  return { 'x-request-id': requestId, 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' }
}

/** Logs a request in one line, without its variables, document or credential. */
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
