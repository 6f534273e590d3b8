import { GraphQLError } from 'graphql'
import { currentScope } from '../../request-scope/request-scope.js'
import type { Writes } from '../../request-scope/writes.js'

/** The codes after which a client or a proxy may send an operation again, as it was or asking for less. */
const inviting = new Set<unknown>(['INTERNAL_SERVER_ERROR', 'LIMIT_EXCEEDED', 'SERVICE_UNAVAILABLE', 'TIMEOUT'])

/**
 * The error as its client gets it when the current request has written something, or may have. It says what was written, and neither its
 * code nor its HTTP status makes clients and proxies repeat the request.
 */
export function tellingWrites(error: GraphQLError): GraphQLError {
  const writes = currentScope()?.writes
  if (!writes || writes.areNone || 'written' in error.extensions) return error
  const { nodes, path, extensions: { code, ...extensions } } = error
  const told = inviting.has(code) ? (writes.areUncertain ? 'OUTCOME_UNKNOWN' : 'PARTIAL_FAILURE') : code
  return new GraphQLError(`${error.message} ${sentencesAbout(writes)}`, {
    nodes,
    path,
    extensions: { ...extensions, code: told, written: writes.named, http: { status: 200 } },
  })
}

function sentencesAbout({ count, named, areUncertain }: Writes): string {
  const [first] = named
  if (!first) return 'What it was writing may or may not be written: read that before you send it again.'
  const list = count > named.length ? `the first ${named.length} of them are in extensions.written` : 'they are in extensions.written'
  const what = count === 1 ? `Version ${first.version} of ${first.id} was written` : `${count} rows were written, ${list}`
  return `${what}: read it again instead of sending the request again.${areUncertain ? ' More may or may not be written.' : ''}`
}
