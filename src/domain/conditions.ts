import { isStorable, isUuid } from './validation.js'

/*
 * Prisma's conditions on one column. A value that PostgreSQL could not even compare, such as a malformed UUID, matches nothing instead of
 * being an error.
 */

const nothing: { in: string[] } = { in: [] }

/** Contains `search`, in any case. Prisma does not escape the wildcards `%` and `_` of LIKE, nor `\`, so this does. */
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
