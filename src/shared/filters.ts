import { badInput } from './pagination.js'
import { isStorable, isUuid } from './validation.js'

/*
 * Conditions on one column, as Prisma writes them. What no stored value can equal matches nothing,
 * instead of being an error.
 */

const nothing: { in: string[] } = { in: [] }

/** A case-insensitive substring, in which `%`, `_` and `\` mean themselves. */
export function substring(search: string) {
  return isStorable(search)
    ? { contains: search.replace(/[\\%_]/g, '\\$&'), mode: 'insensitive' as const }
    : nothing
}

export function exactText(text: string) {
  return isStorable(text) ? { equals: text } : nothing
}

export function exactId(id: string) {
  return isUuid(id) ? { equals: id } : nothing
}

/** How many different values one list of a filter may have. PostgreSQL takes 65,535 parameters in all. */
const MAXIMUM_VALUES = 1000

/** @throws GraphQLError with code BAD_USER_INPUT for more different values than a filter may have. */
export function anyOf<Value>(values: Value[]): { in: Value[] } {
  const different = [...new Set(values)]
  if (different.length > MAXIMUM_VALUES) throw badInput(`A list of a filter may have ${MAXIMUM_VALUES} different values, not ${different.length}.`)
  return { in: different }
}
