import { totalCountHint } from '../domain/query-hints.js'
import { column, listOf, recordOf, unsupported, whereClause } from './conditions.js'
import { type Statement, statement } from './statement.js'
import type { Column, Relation, Table } from './tables.js'

/*
 * Translates queries of Prisma to SQL: those of one table, with the rows that its foreign keys refer to. The text depends on the columns,
 * conditions and orders, the page size and the lengths of short lists, but on no other value, so that it can be prepared.
 */

/** The SQL of a `findMany`; null if it has a part that is not translated, such as a list below its rows. With a `totalCountHint`, each row has the column `COUNT`. */
export function selectRows(table: Table, query: object): Statement | null {
  return statement((values) => {
    const { select, where, orderBy, take, ...rest } = recordOf(query)
    if (Object.keys(rest).length > 0) unsupported()
    const { own, relations } = chosen(table, select)
    const counted: unknown = Reflect.get(query, totalCountHint)
    const count = counted === undefined ? [] : [`(${countText(table, counted, values)}) AS "${COUNT}"`]
    const columns = [...own.map((name) => column(table, name)), ...relations.flatMap(relatedColumns), ...count].join(', ')
    const joins = relations.map((relation) => joinClause(table, relation)).join('')
    const clauses = `${whereClause(table, where, values)}${orderClause(table, orderBy)}${limitClause(take)}`
    return { text: `SELECT ${columns} FROM "${table.name}"${joins}${clauses}`, relations }
  })
}

/** The SQL of a `count`; null if it has a part that is not translated. */
export function countRows(table: Table, query: object): Statement | null {
  return statement((values) => {
    const { where, ...rest } = recordOf(query)
    if (Object.keys(rest).length > 0) unsupported()
    return { text: countText(table, where, values), relations: [] }
  })
}

/** The name of the column with the total count. */
export const COUNT = 'count'

function countText(table: Table, where: unknown, values: unknown[]): string {
  return `SELECT count(*)::int AS "${COUNT}" FROM "${table.name}"${whereClause(table, where, values)}`
}

/** Splits a `select` into the table's own columns and its relations. */
function chosen(table: Table, select: unknown): { own: string[]; relations: Relation[] } {
  if (select === undefined) return { own: readable(table, table.columns.keys()), relations: [] }
  const own: string[] = []
  const relations: Relation[] = []
  for (const [name, it] of Object.entries(recordOf(select))) {
    const relation = table.relations.get(name)
    if (relation) relations.push({ ...relation, columns: chosenColumns(relation, it) })
    else if (it === true) own.push(name)
    else unsupported()
  }
  return { own: readable(table, inOrderOf(table.columns.keys(), own)), relations: relations.toSorted((a, b) => (a.name < b.name ? -1 : 1)) }
}

/** Prisma's names of the types whose values `pg` parses in the same way as Prisma. */
const READ_ALIKE = ['String', 'Int', 'Float', 'Boolean', 'DateTime', 'Json', 'enum']
const LISTS_READ_ALIKE = ['String', 'Int']

function isReadAlike({ type, isList }: Column): boolean {
  return (isList ? LISTS_READ_ALIKE : READ_ALIKE).includes(type)
}

/** Returns the names. Throws Unsupported if `pg` would parse one of the columns in another way than Prisma. */
function readable({ columns }: Table, names: Iterable<string>): string[] {
  const found = [...names]
  return found.every((name) => isReadAlike(columns.get(name) ?? unsupported())) ? found : unsupported()
}

/** Sorts names, so that the order of fields in a document does not change the text. Throws Unsupported for an unknown name. */
function inOrderOf(known: Iterable<string>, names: string[]): string[] {
  const ordered = [...known].filter((name) => names.includes(name))
  return ordered.length === names.length ? ordered : unsupported()
}

/** The selected columns of a relation. The id must be among them: it is null if there is no related row. */
function chosenColumns({ columns }: Relation, it: unknown): string[] {
  if (it === true) return columns
  const { select, ...rest } = recordOf(it)
  if (Object.keys(rest).length > 0) unsupported()
  const selected = recordOf(select)
  if (selected['id'] === undefined || Object.values(selected).some((one) => one !== true)) unsupported()
  return inOrderOf(columns, Object.keys(selected))
}

function relatedColumns({ name, columns }: Relation): string[] {
  return columns.map((it) => `"${name}"."${it}" AS "${name}.${it}"`)
}

function joinClause({ name: table }: Table, { name, table: other, key, hasTenant }: Relation): string {
  const sameTenant = hasTenant ? ` AND "${name}"."organisationId" = "${table}"."organisationId"` : ''
  return ` LEFT JOIN "${other}" AS "${name}" ON "${name}"."id" = "${table}"."${key}"${sameTenant}`
}

/** Moves the columns of relations into nested objects, as Prisma returns them; null if there is no related row. */
export function nestRelations<Row extends object>(rows: Row[], relations: Relation[]): Row[] {
  for (const { name, columns } of relations) {
    const fields = columns.map((it) => [it, `${name}.${it}`] as const)
    for (const row of rows) {
      const related: Record<string, unknown> = {}
      for (const [field, alias] of fields) related[field] = Reflect.get(row, alias)
      Object.assign(row, { [name]: related['id'] === null ? null : related })
    }
  }
  return rows
}

function orderClause(table: Table, orderBy: unknown): string {
  if (orderBy === undefined) return ''
  const terms = listOf(orderBy).flatMap((term) => Object.entries(recordOf(term)).map(([name, it]) => `${column(table, name)} ${direction(it)}`))
  return terms.length === 0 ? '' : ` ORDER BY ${terms.join(', ')}`
}

function direction(it: unknown): string {
  if (it === 'asc' || it === 'desc') return it.toUpperCase()
  const { sort, nulls } = recordOf(it)
  if ((sort !== 'asc' && sort !== 'desc') || (nulls !== 'first' && nulls !== 'last')) return unsupported()
  return `${sort.toUpperCase()} NULLS ${nulls.toUpperCase()}`
}

/** The limit is part of the text and not a parameter: PostgreSQL plans better for a known limit, and pages have few sizes. */
function limitClause(take: unknown): string {
  if (take === undefined) return ''
  return typeof take === 'number' && Number.isInteger(take) && take >= 0 ? ` LIMIT ${take}` : unsupported()
}
