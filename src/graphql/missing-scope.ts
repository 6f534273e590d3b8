import { GraphQLError } from 'graphql'
import type { Scope } from '../domain/scopes.js'

/** The error of a field that the viewer's credential lacks the scope for. */
export function missingScope(scope: Scope): GraphQLError {
  return new GraphQLError(`The scope ${scope} is required.`, { extensions: { code: 'FORBIDDEN', requiredScope: scope } })
}
