import { column, type Columns, listOf, NotPlain, notPlain, recordOf, whereClause } from './plain-conditions.js'

/*
 * Prisma's queries of one table and the rows that it points at as SQL: the columns, conditions and
 * orders that the lists and look-ups of the rooms are made of. The text varies with the shape of a query,
 * the size of its page and the lengths of short lists, but with no other value, so that it is prepared once.
 */

/** A table with its columns, and the rows of others that it points at. */
export interface PlainModel extends Columns {
  relations: ReadonlyMap<string, Relation>
}

/** A row of `table`, with the id that stands in `key`. */
interface Relation {
  name: string
  table: string
  key: string
  /** Whether it belongs to an organisation, which must be the same. */
  hasTenant: boolean
  columns: string[]
}

/** A statement and its parameters. */
export interface Statement {
  text: string
  values: unknown[]
  /** What of its rows `nestRelations` has to put in place. */
  relations: Relation[]
}

/**
 * The SQL of a `findMany` without lists below its rows; null when it holds anything that is not known here.
 *
 * @param counted each row tells as `COUNT_COLUMN` how many rows match this condition
 */
export function selectRows(model: PlainModel, query: object, counted?: object): Statement | null {
  return plain((values) => {
    const { select, where, orderBy, take, ...rest } = recordOf(query)
    if (Object.keys(rest).length > 0) throw new NotPlain()
    const { own, relations } = chosen(model, select)
    const count = counted ? [`(${countText(model, counted, values)}) AS "${COUNT_COLUMN}"`] : []
    const columns = [...own.map((name) => column(model, name)), ...relations.flatMap(relatedColumns), ...count].join(', ')
    const joins = relations.map((relation) => joinClause(model, relation)).join('')
    const clauses = `${whereClause(model, where, values)}${orderClause(model, orderBy)}${limitClause(take)}`
    return { text: `SELECT ${columns} FROM "${model.table}"${joins}${clauses}`, relations }
  })
}

/** The SQL of a `count`; null as above. */
export function countRows(model: PlainModel, where: object): Statement | null {
  return plain((values) => ({ text: countText(model, where, values), relations: [] }))
}

export const COUNT_COLUMN = 'count'

function countText(model: PlainModel, where: object, values: unknown[]): string {
  return `SELECT count(*)::int AS "${COUNT_COLUMN}" FROM "${model.table}"${whereClause(model, where, values)}`
}

/** The statement that `write` makes; null when something in it is not plain. */
export function plain(write: (values: unknown[]) => Omit<Statement, 'values'>): Statement | null {
  const values: unknown[] = []
  try {
    return { ...write(values), values }
  } catch (error) {
    if (error instanceof NotPlain) return null
    throw error
  }
}

/** What a `select` names of the model's own columns and of its relations. */
function chosen(model: PlainModel, select: unknown): { own: string[]; relations: Relation[] } {
  if (select === undefined) return { own: [...model.columns.keys()], relations: [] }
  const own: string[] = []
  const relations: Relation[] = []
  for (const [name, it] of Object.entries(recordOf(select))) {
    const relation = model.relations.get(name)
    if (relation) relations.push({ ...relation, columns: chosenColumns(relation, it) })
    else if (it === true) own.push(name)
    else throw new NotPlain()
  }
  return { own: inOrderOf(model.columns.keys(), own), relations: relations.toSorted((a, b) => (a.name < b.name ? -1 : 1)) }
}

/** One text for all orders in which a document can name the same columns; throws for one that is not known. */
function inOrderOf(known: Iterable<string>, names: string[]): string[] {
  const ordered = [...known].filter((name) => names.includes(name))
  return ordered.length === names.length ? ordered : notPlain()
}

/** The columns of a related row; its id is among them, as it tells whether there is one. */
function chosenColumns({ columns }: Relation, it: unknown): string[] {
  if (it === true) return columns
  const { select, ...rest } = recordOf(it)
  if (Object.keys(rest).length > 0) throw new NotPlain()
  const selected = recordOf(select)
  if (selected['id'] === undefined || Object.values(selected).some((one) => one !== true)) throw new NotPlain()
  return inOrderOf(columns, Object.keys(selected))
}

function relatedColumns({ name, columns }: Relation): string[] {
  return columns.map((it) => `"${name}"."${it}" AS "${name}.${it}"`)
}

function joinClause({ table }: PlainModel, { name, table: other, key, hasTenant }: Relation): string {
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

function orderClause(model: PlainModel, orderBy: unknown): string {
  if (orderBy === undefined) return ''
  const terms = listOf(orderBy).flatMap((term) => Object.entries(recordOf(term)).map(([name, it]) => `${column(model, name)} ${direction(it)}`))
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
