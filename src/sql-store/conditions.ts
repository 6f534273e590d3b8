import { isRecord } from '../domain/is-record.js'
import { type RowComparison, rowComparison } from '../domain/query-hints.js'
import type { Table } from './tables.js'

/* Prisma's conditions as SQL, and how what is not known here is recognised. */

/** As many values as a filter by an enum can have. */
const MAX_IN_VALUES = 5

/** A part of a query that is not known here: Prisma has to answer it. */
export class Unsupported extends Error {}

export function unsupported(): never {
  throw new Unsupported()
}

/** The conditions of a `where`, if any. */
export function whereClause(table: Table, where: unknown, values: unknown[]): string {
  return where === undefined ? '' : ` WHERE ${allOf(table, where, values)}`
}

/** All conditions of an object hold. */
function allOf(table: Table, where: unknown, values: unknown[]): string {
  const conditionsOf = recordOf(where)
  const comparison: unknown = Reflect.get(conditionsOf, rowComparison)
  if (isRowComparison(comparison)) return comparedRows(table, comparison, values)
  const conditions = Object.entries(conditionsOf).map(([name, it]) => {
    if (name === 'AND') return joined(listOf(it), ' AND ', table, values) || 'TRUE'
    // Where there are no alternatives, Prisma's answer depends on what is around them.
    if (name === 'OR') return joined(listOf(it), ' OR ', table, values) || unsupported()
    return condition(column(table, name), it, values)
  })
  return conditions.length === 0 ? 'TRUE' : conditions.join(' AND ')
}

/** Empty for no parts. */
function joined(parts: unknown[], by: string, table: Table, values: unknown[]): string {
  return parts.length === 0 ? '' : `(${parts.map((part) => `(${allOf(table, part, values)})`).join(by)})`
}

function isRowComparison(it: unknown): it is RowComparison {
  return isRecord(it) && Array.isArray(it['columns']) && Array.isArray(it['values']) && typeof it['operator'] === 'string'
}

/**
 * `(a, b) > (SELECT 1, 2)`. The SELECT hides the values from PostgreSQL's planner, whose plan is for any others
 * as well then, and not made anew each time.
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
 * A long list is one parameter, as the text would vary with its length otherwise; PostgreSQL takes it for
 * one of ten, so that it would plan most statements with a shorter one anew each time.
 */
function isOneOf(name: string, list: unknown[], values: unknown[]): string {
  if (list.length === 0 || list.length > MAX_IN_VALUES) return `${name} = ANY(${parameter(values, list)})`
  return `${name} IN (${list.map((it) => parameter(values, it)).join(', ')})`
}

/** Names stand in the text, so that only known ones may. */
export function column({ name: table, columns }: Table, name: string): string {
  return columns.has(name) ? `"${table}"."${name}"` : unsupported()
}

/** Stands in the text for a value; instants as UTC, as the driver's own offsets leave out the seconds that old ones had. */
export function parameter(values: unknown[], value: unknown): string {
  return `$${values.push(value instanceof Date ? utc(value) : value)}`
}

/** PostgreSQL and JavaScript write other years each in their own way. */
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

/** Whether a part of a query has named parts of its own. */
export function isQueryObject(it: unknown): it is Record<string, unknown> {
  return isRecord(it) && !Array.isArray(it) && !(it instanceof Date)
}
