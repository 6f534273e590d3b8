import { isRecord } from '../domain/is-record.js'
import { type RowComparison, rowComparison } from '../domain/query-hints.js'
import type { Table } from './tables.js'

/* Translates conditions of Prisma (`where`) to SQL. */

/** The longest list that becomes `IN ($1, ...)`. No enum that can be filtered by has more values. */
const MAX_IN_VALUES = 5

/** Thrown for a query with a part that is not translated to SQL here. Prisma executes it instead. */
export class Unsupported extends Error {}

export function unsupported(): never {
  throw new Unsupported()
}

/** The WHERE clause for a `where`; empty if it is undefined. Appends its parameters to `values`. */
export function whereClause(table: Table, where: unknown, values: unknown[]): string {
  return where === undefined ? '' : ` WHERE ${allOf(table, where, values)}`
}

/** SQL for an object of conditions, all of which must hold. */
function allOf(table: Table, where: unknown, values: unknown[]): string {
  const conditionsOf = recordOf(where)
  const comparison: unknown = Reflect.get(conditionsOf, rowComparison)
  if (isRowComparison(comparison)) return comparedRows(table, comparison, values)
  const conditions = Object.entries(conditionsOf).map(([name, it]) => {
    if (name === 'AND') return joined(listOf(it), ' AND ', table, values) || 'TRUE'
    // What Prisma makes of an empty OR depends on the conditions around it.
    if (name === 'OR') return joined(listOf(it), ' OR ', table, values) || unsupported()
    return condition(column(table, name), it, values)
  })
  return conditions.length === 0 ? 'TRUE' : conditions.join(' AND ')
}

/** SQL that joins several objects of conditions; empty for none. */
function joined(parts: unknown[], by: string, table: Table, values: unknown[]): string {
  return parts.length === 0 ? '' : `(${parts.map((part) => `(${allOf(table, part, values)})`).join(by)})`
}

function isRowComparison(it: unknown): it is RowComparison {
  return isRecord(it) && Array.isArray(it['columns']) && Array.isArray(it['values']) && typeof it['operator'] === 'string'
}

/**
 * A comparison of rows, e.g. `(a, b) > (SELECT $1, $2)`. The SELECT hides the values from PostgreSQL's planner: its generic plan then looks
 * as good as one for these values, so that it is kept instead of planning anew each time.
 */
function comparedRows(table: Table, { columns, operator, values: bounds }: RowComparison, values: unknown[]): string {
  const row = columns.map((name) => column(table, name))
  const bound = columns.map((name, index) => `${parameter(values, bounds[index])}::${table.columns.get(name)?.comparedAs ?? unsupported()}`)
  return `(${row.join(', ')}) ${comparisons.get(operator)} (SELECT ${bound.join(', ')})`
}

const comparisons = new Map([['equals', '='], ['gt', '>'], ['gte', '>='], ['lt', '<'], ['lte', '<=']])

function condition(name: string, it: unknown, values: unknown[]): string {
  if (isValue(it)) return comparison(name, 'equals', it, values)
  const conditions = Object.entries(recordOf(it)).map(([operator, value]) => comparison(name, operator, value, values))
  return conditions.length === 0 ? unsupported() : conditions.join(' AND ')
}

function comparison(name: string, operator: string, value: unknown, values: unknown[]): string {
  if (operator === 'in') return isOneOf(name, listOf(value), values)
  if (value === null && operator === 'equals') return `${name} IS NULL`
  if (value === null && operator === 'not') return `${name} IS NOT NULL`
  const sign = comparisons.get(operator)
  if (sign === undefined || !isValue(value) || value === null) return unsupported()
  return `${name} ${sign} ${parameter(values, value)}`
}

/**
 * A long list is one array parameter, so that the text does not depend on its length. A short one is not: PostgreSQL's generic plan assumes
 * ten elements in an array, would look worse than a plan for the actual few, and so never be kept.
 */
function isOneOf(name: string, list: unknown[], values: unknown[]): string {
  if (list.length === 0 || list.length > MAX_IN_VALUES) return `${name} = ANY(${parameter(values, list)})`
  return `${name} IN (${list.map((it) => parameter(values, it)).join(', ')})`
}

/** A column by its quoted name. Only known names are accepted, because the name becomes part of the SQL text. */
export function column({ columns }: Table, name: string): string {
  return columns.get(name)?.sql ?? unsupported()
}

/**
 * Appends a value to `values`, and returns its placeholder. Dates are sent in UTC: the driver would write them with the local offset, and
 * leave out the seconds that offsets of old dates have.
 */
export function parameter(values: unknown[], value: unknown): string {
  return `$${values.push(value instanceof Date ? utc(value) : value)}`
}

/** The years that PostgreSQL and JavaScript write in the same way; others are left to Prisma. */
function utc(date: Date): string {
  const year = date.getUTCFullYear()
  return year >= 1 && year <= 9999 ? date.toISOString() : unsupported()
}

function isValue(it: unknown): boolean {
  return it === null || typeof it === 'string' || typeof it === 'number' || it instanceof Date
}

export function listOf(it: unknown): unknown[] {
  return Array.isArray(it) ? it : unsupported()
}

export function recordOf(it: unknown): Record<string, unknown> {
  return isQueryObject(it) ? it : unsupported()
}

/** Whether a part of a query is an object with properties, not a value or a list. */
export function isQueryObject(it: unknown): it is Record<string, unknown> {
  return isRecord(it) && !Array.isArray(it) && !(it instanceof Date)
}
