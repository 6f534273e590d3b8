import { type GraphQLSchema, isUnionType } from 'graphql'
import { isRecord } from '../domain/is-record.js'
import { badInput } from './bad-input.js'
import type { Context } from './context.js'
import { lackedScope, missingScope } from './missing-scope.js'

/** How many representations one `_entities` field may have. */
export const MAXIMUM_REPRESENTATIONS = 1000

/**
 * Wraps the resolver of `_entities`. A representation of an unknown type becomes null, as one of an unknown row does; the federation
 * library would fail the whole field. One of a type that the viewer lacks the scope for becomes null beside a FORBIDDEN error without being
 * looked up, so that it does not tell whether there is such a row. Also limits the number of representations.
 */
export function guardEntities(schema: GraphQLSchema): void {
  const field = schema.getQueryType()?.getFields()['_entities']
  const union = schema.getType('_Entity')
  const resolve = field?.resolve
  if (!field || !resolve || !isUnionType(union)) throw new Error('The schema has no entities.')
  const entityTypes = new Set(union.getTypes().map(({ name }) => name))
  field.resolve = (root, args: { representations: unknown[] }, context: Context, info) => {
    const { representations } = args
    if (representations.length > MAXIMUM_REPRESENTATIONS) throw badInput(`At most ${MAXIMUM_REPRESENTATIONS} representations can be asked for at once.`)
    /** What a representation is answered without being looked up; undefined if it has to be. */
    const answerTo = (it: unknown) => {
      const type = isRecord(it) ? it['__typename'] : undefined
      if (typeof type !== 'string' || !entityTypes.has(type)) return null
      const lacked = lackedScope(context.viewer, schema, type)
      return lacked ? missingScope(lacked) : undefined
    }
    const answers = representations.map(answerTo)
    const found: unknown = resolve(root, { representations: representations.filter((_, index) => answers[index] === undefined) }, context, info)
    if (!Array.isArray(found)) throw new Error('Entities were not answered one by one.')
    const entities: Iterator<unknown, undefined> = found.values()
    return answers.map((answer) => (answer === undefined ? entities.next().value : answer))
  }
}
