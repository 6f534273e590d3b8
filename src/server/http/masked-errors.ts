import { randomUUID } from 'node:crypto'
import { type ExecutionResult, GraphQLError, type GraphQLErrorOptions, Kind } from 'graphql'
import { maskError } from 'graphql-yoga'
import type { Logger } from 'pino'
import { currentScope, type ExceededLimit, type Interruption } from '../../request-scope/request-scope.js'
import { tellingWrites } from './told-writes.js'

/**
 * What a client is told when its operation was interrupted before it had written anything. Status 499 is not a standard: nginx logs it for
 * clients that disconnected.
 */
const interruptions: Record<Interruption, { status: number; code: string; message: string; headers: Record<string, string> }> = {
  TIMEOUT: { status: 504, code: 'TIMEOUT', message: 'The operation took too long and was ended.', headers: {} },
  OVERLOADED: { status: 503, code: 'SERVICE_UNAVAILABLE', message: 'The database has no connection free.', headers: { 'retry-after': '1' } },
  TOO_LARGE: { status: 400, code: 'LIMIT_EXCEEDED', message: 'The operation asks for too much. Ask for fewer or smaller pages.', headers: {} },
  ABANDONED: { status: 499, code: 'ABANDONED', message: 'The client has gone away.', headers: {} },
}

/** What a client is told of a limit that its operation exceeds, in place of the general message. */
const excesses: Record<ExceededLimit['limit'], string> = {
  bytes: 'The operation reads or answers too many bytes. Ask for fewer or smaller pages.',
  cost: 'With the lists inside of its rows, the operation costs more than it may. Ask for fewer or smaller pages.',
}

function interruptionError(interruption: Interruption, where: Pick<GraphQLErrorOptions, 'nodes' | 'path'> = {}): GraphQLError {
  const { status, code, message, headers } = interruptions[interruption]
  const exceeded = currentScope()?.exceeded
  return tellingWrites(new GraphQLError(exceeded ? excesses[exceeded.limit] : message, { ...where, extensions: { code, ...exceeded, http: { status, headers } } }))
}

/** The result of an operation that was interrupted, where it has no other. Without `data`, it says that nothing was done. */
export function interruptedResult(interruption: Interruption): ExecutionResult {
  const error = interruptionError(interruption)
  return 'written' in error.extensions ? { data: null, errors: [error] } : { errors: [error] }
}

/** The error as the client may see it. Errors that it cannot act on are logged under an id, and the client gets only the id. */
export function maskedError(error: unknown, message: string, log: Logger): GraphQLError {
  const shown = maskError(error, message)
  if (!(shown instanceof GraphQLError) || shown !== error) return unexpectedError(error, log)
  const { code } = shown.extensions
  if (code !== undefined) return code === 'INTERNAL_SERVER_ERROR' ? unexpectedError(error, log) : tellingWrites(shown)
  // GraphQL's own errors have no code. Those at a field are about the value that its resolver returned, which is our fault. All others
  // are about the client's document or variables.
  if (shown.nodes?.some(({ kind }) => kind === Kind.FIELD)) return unexpectedError(error, log)
  // The code is set on the same error, because Yoga logs an error that is replaced by another.
  shown.extensions['code'] = 'BAD_USER_INPUT'
  return tellingWrites(shown)
}

/** Logs an error under a new id, and returns the error that the client gets instead. For an interrupted operation it says why. */
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
  return tellingWrites(new GraphQLError('Unexpected error.', { ...where, extensions: { code: 'INTERNAL_SERVER_ERROR', errorId } }))
}
