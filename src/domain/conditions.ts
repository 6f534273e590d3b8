import { isRecord } from './is-record.js'
import { canHold, isSourcedId, isUuid } from './validation.js'

/*
 * Prisma's conditions on one column. A value that the column can never hold, such as a malformed UUID or a text that is too long, matches
 * nothing instead of being an error.
 */

const nothing: { in: string[] } = { in: [] }

/**
 * Contains `search`, in any case. Prisma does not escape the wildcards `%` and `_` of LIKE, nor `\`, so this does.
 *
 * @param max the maximum length of the column's texts, in Unicode code points
 */
export function substring(search: string, max: number) {
  return canHold(max, search)
    ? { contains: search.replace(/[\\%_]/g, '\\$&'), mode: 'insensitive' as const }
    : nothing
}

/** @param max the maximum length of the column's texts, in Unicode code points */
export function exactText(text: string, max: number) {
  return canHold(max, text) ? { equals: text } : nothing
}

export function exactSourcedId(sourcedId: string) {
  return isSourcedId(sourcedId) ? { equals: sourcedId } : nothing
}

export function exactId(id: string) {
  return isUuid(id) ? { equals: id } : nothing
}

/** The operators of Prisma that turn a condition around: it can match something although what is below them cannot. */
const NEGATIONS = ['NOT', 'not', 'isNot', 'none', 'every']

/**
 * Whether a condition of Prisma is met by no row, whatever is stored: because a column has to be one of no values. Such a list is empty
 * without asking the database.
 */
export function matchesNothing(where: unknown): boolean {
  if (!isRecord(where)) return false
  return Object.entries(where).some(([name, it]) => {
    if (name === 'in') return Array.isArray(it) && it.length === 0
    if (name === 'OR') return Array.isArray(it) && it.every((part) => matchesNothing(part))
    if (name === 'AND' && Array.isArray(it)) return it.some((part) => matchesNothing(part))
    return !NEGATIONS.includes(name) && matchesNothing(it)
  })
}
