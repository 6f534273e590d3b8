import { GraphQLError, type GraphQLSchema, isUnionType } from 'graphql'
import { isRecord } from '../domain/is-record.js'

/** How many representations one `_entities` field may have. */
export const MAXIMUM_REPRESENTATIONS = 1000

/**
 * Wraps the resolver of `_entities`. A representation of an unknown type becomes null, as one of an unknown row does; the federation
 * library would fail the whole field. Also limits the number of representations.
 */
export function guardEntities(schema: GraphQLSchema): void {
  const field = schema.getQueryType()?.getFields()['_entities']
  const union = schema.getType('_Entity')
  const resolve = field?.resolve
  if (!field || !resolve || !isUnionType(union)) throw new Error('The schema has no entities.')
  const entityTypes = new Set(union.getTypes().map(({ name }) => name))
  field.resolve = (root, args: { representations: unknown[] }, context, info) => {
    const { representations } = args
    if (representations.length > MAXIMUM_REPRESENTATIONS) {
      throw new GraphQLError(`At most ${MAXIMUM_REPRESENTATIONS} representations can be asked for at once.`, {
        extensions: { code: 'BAD_USER_INPUT' },
      })
    }
    const isKnown = (it: unknown) => isRecord(it) && typeof it['__typename'] === 'string' && entityTypes.has(it['__typename'])
    const found: unknown = resolve(root, { representations: representations.filter(isKnown) }, context, info)
    if (!Array.isArray(found)) throw new Error('Entities were not answered one by one.')
    const entities: Iterator<unknown, undefined> = found.values()
    return representations.map((it) => (isKnown(it) ? entities.next().value : null))
  }
}
