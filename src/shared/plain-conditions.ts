import { isDeepStrictEqual } from 'node:util'
import { isRecord } from './is-record.js'

/* Prisma's conditions as SQL, and how what is not known here is recognised. */

/** As many values as a filter by an enum can have. */
const LONGEST_SPELLED_OUT = 5

/** What PostgreSQL calls the type of a column, if lists can be ordered by such. */
export type ColumnType = 'uuid' | 'text' | 'timestamptz' | 'integer' | 'double precision'

/** A table with its columns. */
export interface Columns {
  table: string
  columns: ReadonlyMap<string, ColumnType | undefined>
}

/** A part of a query that is not plain: Prisma has to answer it. */
export class NotPlain extends Error {}

/** The conditions of a `where`, if any. */
export function whereClause(model: Columns, where: unknown, values: unknown[]): string {
  return where === undefined ? '' : ` WHERE ${allOf(model, where, values)}`
}

/** All conditions of an object hold. */
function allOf(model: Columns, where: unknown, values: unknown[]): string {
  const conditions = Object.entries(recordOf(where)).map(([name, it]) => {
    if (name === 'AND') return joined(listOf(it), ' AND ', 'TRUE', model, values)
    if (name === 'OR') return rowComparison(model, listOf(it), values) ?? joined(listOf(it), ' OR ', 'FALSE', model, values)
    return condition(column(model, name), it, values)
  })
  return conditions.length === 0 ? 'TRUE' : conditions.join(' AND ')
}

function joined(parts: unknown[], by: string, none: string, model: Columns, values: unknown[]): string {
  return parts.length === 0 ? none : `(${parts.map((part) => `(${allOf(model, part, values)})`).join(by)})`
}

/**
 * Alternatives that together compare columns as PostgreSQL compares rows: `a > 1 OR (a = 1 AND b > 2)` is
 * `(a, b) > (SELECT 1, 2)`. The SELECT hides the values from the planner, whose plan is for any others
 * as well then, and not made anew each time. Null when the alternatives are any others.
 */
function rowComparison(model: Columns, alternatives: unknown[], values: unknown[]): string | null {
  const steps = alternatives.map(lastOfSteps)
  const [first] = steps
  if (!first || steps.length < 2) return null
  const terms: RowTerm[] = []
  for (const step of steps) {
    const isNext = step?.operator === first.operator && isDeepStrictEqual(step.equal, terms.map(({ name, value }) => ({ [name]: { equals: value } })))
    if (!isNext) return null
    terms.push(step)
  }
  const row = terms.map(({ name }) => column(model, name))
  const bound = terms.map(({ name, value }) => `${parameter(values, value)}::${model.columns.get(name) ?? notPlain()}`)
  return `(${row.join(', ')}) ${comparisons.get(first.operator)} (SELECT ${bound.join(', ')})`
}

interface RowTerm {
  name: string
  operator: string
  value: unknown
}

/** One alternative of a row comparison: columns that are equal, and then one that is beyond. */
function lastOfSteps(alternative: unknown): (RowTerm & { equal: unknown[] }) | null {
  const [and, conditions] = onlyEntry(alternative) ?? []
  if (and !== 'AND' || !Array.isArray(conditions)) return null
  const [name, it] = onlyEntry(conditions.at(-1)) ?? []
  const [operator, value] = onlyEntry(it) ?? []
  if (name === undefined || (operator !== 'gt' && operator !== 'lt') || !isValue(value) || value === null) return null
  return { name, operator, value, equal: conditions.slice(0, -1) }
}

function onlyEntry(it: unknown): [string, unknown] | undefined {
  const [entry, ...others] = isQueryObject(it) ? Object.entries(it) : []
  return others.length === 0 ? entry : undefined
}

const comparisons = new Map([['equals', '='], ['gt', '>'], ['gte', '>='], ['lt', '<'], ['lte', '<=']])

function condition(name: string, it: unknown, values: unknown[]): string {
  if (isValue(it)) return comparison(name, 'equals', it, values)
  const conditions = Object.entries(recordOf(it)).map(([operator, value]) => comparison(name, operator, value, values))
  if (conditions.length === 0) throw new NotPlain()
  return conditions.join(' AND ')
}

function comparison(name: string, operator: string, value: unknown, values: unknown[]): string {
  if (operator === 'in') return isOneOf(name, listOf(value), values)
  if (value === null && operator === 'equals') return `${name} IS NULL`
  if (value === null && operator === 'not') return `${name} IS NOT NULL`
  const sign = comparisons.get(operator)
  if (sign === undefined || !isValue(value) || value === null) throw new NotPlain()
  return `${name} ${sign} ${parameter(values, value)}`
}

/**
 * A long list is one parameter, as the text would vary with its length otherwise; PostgreSQL takes it for
 * one of ten, so that it would plan most statements with a shorter one anew each time.
 */
function isOneOf(name: string, list: unknown[], values: unknown[]): string {
  if (list.length === 0 || list.length > LONGEST_SPELLED_OUT) return `${name} = ANY(${parameter(values, list)})`
  return `${name} IN (${list.map((it) => parameter(values, it)).join(', ')})`
}

/** Names stand in the text, so that only known ones may. */
export function column({ table, columns }: Columns, name: string): string {
  if (!columns.has(name)) throw new NotPlain()
  return `"${table}"."${name}"`
}

/** Stands in the text for a value; instants as UTC, as the driver's own offsets leave out the seconds that old ones had. */
export function parameter(values: unknown[], value: unknown): string {
  return `$${values.push(value instanceof Date ? utc(value) : value)}`
}

/** PostgreSQL and JavaScript write other years each in their own way. */
function utc(date: Date): string {
  const year = date.getUTCFullYear()
  if (year >= 1 && year <= 9999) return date.toISOString()
  throw new NotPlain()
}

function isValue(it: unknown): boolean {
  return it === null || typeof it === 'string' || typeof it === 'number' || it instanceof Date
}

export function listOf(it: unknown): unknown[] {
  return Array.isArray(it) ? it : notPlain()
}

export function recordOf(it: unknown): Record<string, unknown> {
  return isQueryObject(it) ? it : notPlain()
}

export function notPlain(): never {
  throw new NotPlain()
}

/** Whether a part of a query has named parts of its own. */
export function isQueryObject(it: unknown): it is Record<string, unknown> {
  return isRecord(it) && !Array.isArray(it) && !(it instanceof Date)
}
