import { badInput } from './bad-input.js'

/** How many different values a list in a filter may have. A PostgreSQL statement can have 65,535 parameters in all. */
const MAXIMUM_VALUES = 1000

/**
 * Prisma's condition that a column has one of these values.
 *
 * @throws GraphQLError with code BAD_USER_INPUT for more than 1,000 different values.
 */
export function anyOf<Value>(values: Iterable<Value>): { in: Value[] } {
  const different = new Set<Value>()
  for (const value of values) {
    different.add(value)
    if (different.size > MAXIMUM_VALUES) throw badInput(`A list of a filter may have at most ${MAXIMUM_VALUES} different values.`)
  }
  return { in: [...different] }
}
