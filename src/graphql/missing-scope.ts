import { GraphQLError, type GraphQLSchema } from 'graphql'
import { isRecord } from '../domain/is-record.js'
import { type Scope, scopes } from '../domain/scopes.js'
import type { Viewer } from '../domain/viewer.js'

/** The error of a field that the viewer's credential lacks the scope for. */
export function missingScope(scope: Scope): GraphQLError {
  return new GraphQLError(`The scope ${scope} is required.`, { extensions: { code: 'FORBIDDEN', requiredScope: scope } })
}

/**
 * The scope that the viewer lacks to read a type; null if none is missing. To be asked where a type is only known by its name: Pothos checks a
 * type's scope at each of its fields, so that a document that selects `__typename` alone would learn whether a row exists.
 */
export function lackedScope({ scopes: granted }: Viewer, schema: GraphQLSchema, typeName: string): Scope | null {
  const options = schema.getType(typeName)?.extensions['pothosOptions']
  const declared = isRecord(options) && isRecord(options['authScopes']) ? options['authScopes']['scope'] : undefined
  return scopes.find((scope) => scope === declared && !granted.has(scope)) ?? null
}
