import { randomUUID } from 'node:crypto'
import { GraphQLError, type GraphQLErrorOptions, Kind } from 'graphql'
import { maskError } from 'graphql-yoga'
import type { Logger } from 'pino'
import { currentScope, type Interruption } from '../../request-scope/request-scope.js'

/** What a client is told when its operation was interrupted: the status, and whether to come back. */
const interruptions: Record<Interruption, { status: number; code: string; message: string; headers: Record<string, string> }> = {
  TIMEOUT: { status: 504, code: 'TIMEOUT', message: 'The operation took too long and was ended. What it was writing may or may not be written.', headers: {} },
  OVERLOADED: { status: 503, code: 'SERVICE_UNAVAILABLE', message: 'The database has no connection free. Try again later.', headers: { 'retry-after': '1' } },
  ABANDONED: { status: 499, code: 'ABANDONED', message: 'The client has gone away.', headers: {} },
}

export function interruptionError(interruption: Interruption, where: Pick<GraphQLErrorOptions, 'nodes' | 'path'> = {}): GraphQLError {
  const { status, code, message, headers } = interruptions[interruption]
  return new GraphQLError(message, { ...where, extensions: { code, http: { status, headers } } })
}

/** Whatever the client cannot act on is logged with an id, and told by that id alone. */
export function maskedError(error: unknown, message: string, log: Logger): GraphQLError {
  const shown = maskError(error, message)
  if (!(shown instanceof GraphQLError) || shown !== error) return unexpectedError(error, log)
  const { code } = shown.extensions
  if (code !== undefined) return code === 'INTERNAL_SERVER_ERROR' ? unexpectedError(error, log) : shown
  // GraphQL's own errors have no code. One at a field is about what the field answered, any other about what was sent.
  if (shown.nodes?.some(({ kind }) => kind === Kind.FIELD)) return unexpectedError(error, log)
  // A new error would make Yoga log this one.
  shown.extensions['code'] = 'BAD_USER_INPUT'
  return shown
}

/** Logs an error with an id, and answers what may be told of it. */
export function unexpectedError(error: unknown, log: Logger): GraphQLError {
  const operation = currentScope()
  const where = error instanceof GraphQLError ? { nodes: error.nodes, path: error.path } : {}
  const err = error instanceof GraphQLError ? (error.originalError ?? error) : error
  if (operation?.interruption) {
    log.warn({ err, requestId: operation.requestId, interruption: operation.interruption }, 'interrupted')
    return interruptionError(operation.interruption, where)
  }
  const errorId = randomUUID()
  log.error({ err, errorId, requestId: operation?.requestId }, 'unexpected error')
  return new GraphQLError('Unexpected error.', { ...where, extensions: { code: 'INTERNAL_SERVER_ERROR', errorId } })
}
