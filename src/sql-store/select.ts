import { totalCountHint } from '../domain/query-hints.js'
import { column, listOf, recordOf, unsupported, whereClause } from './conditions.js'
import { type Statement, statement } from './statement.js'
import type { Column, Relation, Table } from './tables.js'

/*
 * Prisma's queries of one table and the rows that it points at as SQL: the columns, conditions and
 * orders that the lists and look-ups of the rooms are made of. The text varies with the shape of a query,
 * the size of its page and the lengths of short lists, but with no other value, so that it is prepared once.
 */

/** The SQL of a `findMany` without lists below its rows; null when it holds anything that is not known here. A `totalCountHint` is counted as `COUNT`. */
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

/** The SQL of a `count`; null as above. */
export function countRows(table: Table, query: object): Statement | null {
  return statement((values) => {
    const { where, ...rest } = recordOf(query)
    if (Object.keys(rest).length > 0) unsupported()
    return { text: countText(table, where, values), relations: [] }
  })
}

/** The column that holds the length of a list. */
export const COUNT = 'count'

function countText(table: Table, where: unknown, values: unknown[]): string {
  return `SELECT count(*)::int AS "${COUNT}" FROM "${table.name}"${whereClause(table, where, values)}`
}

/** What a `select` names of the table's own columns and of its relations. */
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

/** The types that the driver reads as Prisma does. */
const READ_ALIKE = ['String', 'Int', 'Float', 'Boolean', 'DateTime', 'Json', 'enum']
const LISTS_READ_ALIKE = ['String', 'Int']

function isReadAlike({ type, isList }: Column): boolean {
  return (isList ? LISTS_READ_ALIKE : READ_ALIKE).includes(type)
}

/** The same names, where each is of a column that the driver reads as Prisma does. */
function readable({ columns }: Table, names: Iterable<string>): string[] {
  const found = [...names]
  return found.every((name) => isReadAlike(columns.get(name) ?? unsupported())) ? found : unsupported()
}

/** One text for all orders in which a document can name the same columns; throws for one that is not known. */
function inOrderOf(known: Iterable<string>, names: string[]): string[] {
  const ordered = [...known].filter((name) => names.includes(name))
  return ordered.length === names.length ? ordered : unsupported()
}

/** The columns of a related row; its id is among them, as it tells whether there is one. */
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

/** Puts what was selected of relations where Prisma has it: null where there is no such row. */
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

/** Pages have few sizes, and PostgreSQL plans better for one that it knows. */
function limitClause(take: unknown): string {
  if (take === undefined) return ''
  return typeof take === 'number' && Number.isInteger(take) && take >= 0 ? ` LIMIT ${take}` : unsupported()
}
