import { totalCountHint } from '../domain/query-hints.js'
import { column, listOf, recordOf, unsupported, whereClause } from './conditions.js'
import { type Statement, statement } from './statement.js'
import type { Column, Relation, SelectedRelation, Table } from './tables.js'

/*
 * Translates queries of Prisma to SQL: those of one table, with the rows that its foreign keys refer to. The text depends on the columns,
 * conditions and orders, the page size and the lengths of short lists, but on no other value, so that it can be prepared.
 */

/** The SQL of a `findMany`; null if it has a part that is not translated, such as a list below its rows. With a `totalCountHint`, each row has the column `COUNT`. */
export function selectRows(table: Table, query: object): Statement | null {
  return statement((values) => {
    const { select, where, orderBy, take, ...rest } = recordOf(query)
    if (Object.keys(rest).length > 0) unsupported()
    const { own, related } = chosen(table, select)
    const counted: unknown = Reflect.get(query, totalCountHint)
    const count = counted === undefined ? [] : [`(${countText(table, counted, values)}) AS "${COUNT}"`]
    const columns = [...own.map(({ sql }) => sql), ...related.flatMap(aliased), ...count].join(', ')
    const joins = related.map((it) => joinClause(table, it)).join('')
    const clauses = `${whereClause(table, where, values)}${orderClause(table, orderBy)}${limitClause(take)}`
    return { text: `SELECT ${columns} FROM "${table.name}"${joins}${clauses}`, related }
  })
}

/** The SQL of a `count`; null if it has a part that is not translated. */
export function countRows(table: Table, query: object): Statement | null {
  return statement((values) => {
    const { where, ...rest } = recordOf(query)
    if (Object.keys(rest).length > 0) unsupported()
    return { text: countText(table, where, values), related: [] }
  })
}

/** The name of the column with the total count. */
export const COUNT = 'count'

function countText(table: Table, where: unknown, values: unknown[]): string {
  return `SELECT count(*)::int AS "${COUNT}" FROM "${table.name}"${whereClause(table, where, values)}`
}

/** Splits a `select` into the table's own columns and its relations. */
function chosen({ columns, relations }: Table, select: unknown): { own: Column[]; related: SelectedRelation[] } {
  if (select === undefined) return { own: readable([...columns.values()]), related: [] }
  const names = new Set<string>()
  const related: SelectedRelation[] = []
  for (const [name, it] of Object.entries(recordOf(select))) {
    const relation = relations.get(name)
    if (relation) related.push({ relation, columns: relatedColumns(relation, it) })
    else if (it === true) names.add(name)
    else unsupported()
  }
  return { own: named(columns, names), related: related.sort((a, b) => (a.relation.name < b.relation.name ? -1 : 1)) }
}

/** The selected columns of a relation. The id must be among them: it is null if there is no related row. */
function relatedColumns({ columns }: Relation, it: unknown): Column[] {
  if (it === true) return readable([...columns.values()])
  const { select, ...rest } = recordOf(it)
  if (Object.keys(rest).length > 0) unsupported()
  const selected = recordOf(select)
  if (selected['id'] === undefined || Object.values(selected).some((one) => one !== true)) unsupported()
  return named(columns, new Set(Object.keys(selected)))
}

/** The columns of these names, in the order of the table: the text does not depend on the order of fields in a document. */
function named(columns: ReadonlyMap<string, Column>, names: ReadonlySet<string>): Column[] {
  const found: Column[] = []
  for (const column of columns.values()) if (names.has(column.name)) found.push(column)
  return found.length === names.size ? readable(found) : unsupported()
}

function readable(columns: Column[]): Column[] {
  return columns.every(({ isReadAlike }) => isReadAlike) ? columns : unsupported()
}

function aliased({ relation: { name }, columns }: SelectedRelation): string[] {
  return columns.map((column) => `"${name}"."${column.name}" AS "${name}.${column.name}"`)
}

function joinClause({ name: table }: Table, { relation: { name, table: other, key, hasTenant } }: SelectedRelation): string {
  const sameTenant = hasTenant ? ` AND "${name}"."organisationId" = "${table}"."organisationId"` : ''
  return ` LEFT JOIN "${other}" AS "${name}" ON "${name}"."id" = "${table}"."${key}"${sameTenant}`
}

/** Moves the columns of relations into nested objects, as Prisma returns them; null if there is no related row. */
export function nestRelations<Row extends object>(rows: Row[], selected: SelectedRelation[]): Row[] {
  for (const { relation: { name }, columns } of selected) {
    const fields = columns.map((column) => [column.name, `${name}.${column.name}`] as const)
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
