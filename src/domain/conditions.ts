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
