import { Prisma } from '../generated/prisma/client.js'
import { isQueryObject, parameter, recordOf, unsupported } from './conditions.js'
import { type Statement, statement } from './statement.js'
import type { Table } from './tables.js'

/**
 * The SQL of an `updateManyAndReturn` as versioning/gate.ts sends it: it sets columns of one row, if the row has the given version. The
 * text depends only on the columns that are set. Null for other conditions, and for values that are not translated.
 */
export function updateRow(table: Table, query: object): Statement | null {
  return statement((values) => {
    const { where, data, ...rest } = recordOf(query)
    const { id, organisationId, version, ...others } = recordOf(where)
    if (Object.keys({ ...rest, ...others }).length > 0 || typeof id !== 'string' || typeof organisationId !== 'string' || typeof version !== 'number') unsupported()
    const conditions = `"id" = ${parameter(values, id)} AND "organisationId" = ${parameter(values, organisationId)} AND "version" = ${parameter(values, version)}`
    const set = new Map(Object.entries(recordOf(data)).filter(([, value]) => value !== undefined))
    const columns = [...table.columns.values()]
    const assignments = columns.filter(({ name }) => set.has(name)).map(({ name, type, isList }) => (isList ? unsupported() : assignment(name, type, set.get(name), values)))
    if (assignments.length < set.size || !columns.every(({ isReadAlike }) => isReadAlike)) unsupported()
    const returned = columns.map(({ name }) => `"${name}"`).join(', ')
    return { text: `UPDATE "${table.name}" SET ${assignments.join(', ')} WHERE ${conditions} RETURNING ${returned}`, related: [] }
  })
}

function assignment(name: string, type: string, value: unknown, values: unknown[]): string {
  if (type === 'Int' && isQueryObject(value) && Object.keys(value).join() === 'increment') {
    return `"${name}" = "${name}" + ${parameter(values, stored(type, value['increment']))}`
  }
  return `"${name}" = ${parameter(values, stored(type, value))}`
}

/** The parameter for a value. A value that may not fit the type is left to Prisma, which refuses it with its own error. */
function stored(type: string, value: unknown): unknown {
  if (type === 'Json') return storedJson(value)
  return value === null || isOfType[type]?.(value) === true ? value : unsupported()
}

const isOfType: Record<string, ((value: unknown) => boolean) | undefined> = {
  String: (value) => typeof value === 'string',
  enum: (value) => typeof value === 'string',
  Int: Number.isInteger,
  Float: Number.isFinite,
  Boolean: (value) => typeof value === 'boolean',
  DateTime: (value) => value instanceof Date,
}

function storedJson(value: unknown): string | null {
  if (value === Prisma.DbNull) return null
  return Array.isArray(value) || (isQueryObject(value) && isWithoutClass(value)) ? JSON.stringify(value) : unsupported()
}

/** Whether an object has no class. Prisma's special nulls have one. */
function isWithoutClass(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
