import { badInput } from './pagination.js'

/** How many different values one list of a filter may have. PostgreSQL takes 65,535 parameters in all. */
const MAXIMUM_VALUES = 1000

/**
 * The condition that a column has one of these values.
 *
 * @throws GraphQLError with code BAD_USER_INPUT for more different values than a filter may have.
 */
export function anyOf<Value>(values: Value[]): { in: Value[] } {
  const different = [...new Set(values)]
  if (different.length > MAXIMUM_VALUES) throw badInput(`A list of a filter may have ${MAXIMUM_VALUES} different values, not ${different.length}.`)
  return { in: different }
}
