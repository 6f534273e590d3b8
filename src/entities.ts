import { GraphQLError, type GraphQLSchema, isUnionType } from 'graphql'
import { z } from 'zod'

export const MAXIMUM_REPRESENTATIONS = 1000

const representation = z.looseObject({ __typename: z.string() })

/**
 * Makes `_entities` answer each representation for itself: one that names no entity type is null
 * like one that names no row, where the federation library would fail them all. And it caps them.
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
    return representations.map((it) => {
      const known = representation.safeParse(it)
      if (!known.success || !entityTypes.has(known.data.__typename)) return null
      const [entity]: unknown[] = z.array(z.unknown()).parse(resolve(root, { representations: [it] }, context, info))
      return entity
    })
  }
}
