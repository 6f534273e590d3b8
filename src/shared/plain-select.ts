/*
 * Prisma's queries of one table as SQL: the columns, conditions and orders that the lists and
 * look-ups of the rooms are made of. The text is the same for all values, so that it is prepared once.
 */

/** A statement and its parameters. */
export interface Statement {
  text: string
  values: unknown[]
}

/** A part of a query that is not plain: Prisma has to answer it. */
class NotPlain extends Error {}

/** The SQL of a `findMany` without relations; null when it holds anything that is not known here. */
export function selectRows(table: string, columns: ReadonlySet<string>, query: object): Statement | null {
  return plain((values) => {
    const { select, where, orderBy, take, ...rest } = recordOf(query)
    if (Object.keys(rest).length > 0) throw new NotPlain()
    return `SELECT ${columnsOf(columns, select)} FROM "${table}"${whereClause(columns, where, values)}${orderClause(columns, orderBy)}${limitClause(take)}`
  })
}

/** The SQL of a `count`; null as above. */
export function countRows(table: string, columns: ReadonlySet<string>, where: object): Statement | null {
  return plain((values) => `SELECT count(*)::int AS "count" FROM "${table}"${whereClause(columns, where, values)}`)
}

function plain(write: (values: unknown[]) => string): Statement | null {
  const values: unknown[] = []
  try {
    return { text: write(values), values }
  } catch (error) {
    if (error instanceof NotPlain) return null
    throw error
  }
}

function columnsOf(columns: ReadonlySet<string>, select: unknown): string {
  const names = select === undefined ? [...columns] : Object.entries(recordOf(select)).map(([name, chosen]) => (chosen === true ? name : ''))
  return names.map((name) => column(columns, name)).join(', ')
}

function whereClause(columns: ReadonlySet<string>, where: unknown, values: unknown[]): string {
  return where === undefined ? '' : ` WHERE ${allOf(columns, where, values)}`
}

/** All conditions of an object hold. */
function allOf(columns: ReadonlySet<string>, where: unknown, values: unknown[]): string {
  const conditions = Object.entries(recordOf(where)).map(([name, it]) => {
    if (name === 'AND') return joined(listOf(it), ' AND ', 'TRUE', columns, values)
    if (name === 'OR') return joined(listOf(it), ' OR ', 'FALSE', columns, values)
    return condition(column(columns, name), it, values)
  })
  return conditions.length === 0 ? 'TRUE' : conditions.join(' AND ')
}

function joined(parts: unknown[], by: string, none: string, columns: ReadonlySet<string>, values: unknown[]): string {
  return parts.length === 0 ? none : `(${parts.map((part) => `(${allOf(columns, part, values)})`).join(by)})`
}

const comparisons = new Map([['equals', '='], ['gt', '>'], ['gte', '>='], ['lt', '<'], ['lte', '<=']])

function condition(name: string, it: unknown, values: unknown[]): string {
  if (isValue(it)) return comparison(name, 'equals', it, values)
  const conditions = Object.entries(recordOf(it)).map(([operator, value]) => comparison(name, operator, value, values))
  if (conditions.length === 0) throw new NotPlain()
  return conditions.join(' AND ')
}

function comparison(name: string, operator: string, value: unknown, values: unknown[]): string {
  // A list is one parameter, as the text would vary with its length otherwise.
  if (operator === 'in') return `${name} = ANY(${parameter(values, listOf(value))})`
  if (value === null && operator === 'equals') return `${name} IS NULL`
  if (value === null && operator === 'not') return `${name} IS NOT NULL`
  const sign = comparisons.get(operator)
  if (sign === undefined || !isValue(value) || value === null) throw new NotPlain()
  return `${name} ${sign} ${parameter(values, value)}`
}

function orderClause(columns: ReadonlySet<string>, orderBy: unknown): string {
  if (orderBy === undefined) return ''
  const terms = listOf(orderBy).flatMap((term) => Object.entries(recordOf(term)).map(([name, it]) => `${column(columns, name)} ${direction(it)}`))
  return terms.length === 0 ? '' : ` ORDER BY ${terms.join(', ')}`
}

function direction(it: unknown): string {
  if (it === 'asc' || it === 'desc') return it.toUpperCase()
  const { sort, nulls } = recordOf(it)
  if ((sort !== 'asc' && sort !== 'desc') || (nulls !== 'first' && nulls !== 'last')) throw new NotPlain()
  return `${sort.toUpperCase()} NULLS ${nulls.toUpperCase()}`
}

/** Pages have few sizes, and PostgreSQL plans better for one that it knows. */
function limitClause(take: unknown): string {
  if (take === undefined) return ''
  if (typeof take !== 'number' || !Number.isInteger(take) || take < 0) throw new NotPlain()
  return ` LIMIT ${take}`
}

/** Names stand in the text, so that only known ones may. */
function column(columns: ReadonlySet<string>, name: string): string {
  if (!columns.has(name)) throw new NotPlain()
  return `"${name}"`
}

function parameter(values: unknown[], value: unknown): string {
  return `$${values.push(value)}`
}

function isValue(it: unknown): boolean {
  return it === null || typeof it === 'string' || typeof it === 'number' || it instanceof Date
}

function listOf(it: unknown): unknown[] {
  if (Array.isArray(it)) return it
  throw new NotPlain()
}

function recordOf(it: unknown): Record<string, unknown> {
  if (isRecord(it)) return it
  throw new NotPlain()
}

function isRecord(it: unknown): it is Record<string, unknown> {
  return typeof it === 'object' && it !== null && !Array.isArray(it) && !(it instanceof Date)
}
