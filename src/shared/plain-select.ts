/*
 * Prisma's queries of one table and the rows that it points at as SQL: the columns, conditions and
 * orders that the lists and look-ups of the rooms are made of. The text is the same for all values, so that it is prepared once.
 */

/** A table with its columns, and the rows of others that it points at. */
export interface PlainModel {
  table: string
  columns: ReadonlySet<string>
  relations: ReadonlyMap<string, Relation>
}

/** A row of `table`, with the id that stands in `key`. */
interface Relation {
  name: string
  table: string
  key: string
  columns: string[]
}

/** A statement and its parameters. */
export interface Statement {
  text: string
  values: unknown[]
  /** What of its rows `nestRelations` has to put in place. */
  relations: Relation[]
}

/** A part of a query that is not plain: Prisma has to answer it. */
export class NotPlain extends Error {}

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

/** What a `select` names of the model's own columns and of its relations, which are selected whole. */
function chosen(model: PlainModel, select: unknown): { own: string[]; relations: Relation[] } {
  if (select === undefined) return { own: [...model.columns], relations: [] }
  const names = Object.entries(recordOf(select)).map(([name, it]) => {
    if (it !== true) throw new NotPlain()
    return name
  })
  const relations = names.flatMap((name) => model.relations.get(name) ?? [])
  return { own: names.filter((name) => !model.relations.has(name)), relations }
}

function relatedColumns({ name, columns }: Relation): string[] {
  return columns.map((it) => `"${name}"."${it}" AS "${name}.${it}"`)
}

function joinClause({ table }: PlainModel, { name, table: other, key, columns }: Relation): string {
  const sameTenant = columns.includes('organisationId') ? ` AND "${name}"."organisationId" = "${table}"."organisationId"` : ''
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

function whereClause(model: PlainModel, where: unknown, values: unknown[]): string {
  return where === undefined ? '' : ` WHERE ${allOf(model, where, values)}`
}

/** All conditions of an object hold. */
function allOf(model: PlainModel, where: unknown, values: unknown[]): string {
  const conditions = Object.entries(recordOf(where)).map(([name, it]) => {
    if (name === 'AND') return joined(listOf(it), ' AND ', 'TRUE', model, values)
    if (name === 'OR') return joined(listOf(it), ' OR ', 'FALSE', model, values)
    return condition(column(model, name), it, values)
  })
  return conditions.length === 0 ? 'TRUE' : conditions.join(' AND ')
}

function joined(parts: unknown[], by: string, none: string, model: PlainModel, values: unknown[]): string {
  return parts.length === 0 ? none : `(${parts.map((part) => `(${allOf(model, part, values)})`).join(by)})`
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

/** Names stand in the text, so that only known ones may. */
function column({ table, columns }: PlainModel, name: string): string {
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

function listOf(it: unknown): unknown[] {
  if (Array.isArray(it)) return it
  throw new NotPlain()
}

function recordOf(it: unknown): Record<string, unknown> {
  if (isRecord(it)) return it
  throw new NotPlain()
}

export function isRecord(it: unknown): it is Record<string, unknown> {
  return typeof it === 'object' && it !== null && !Array.isArray(it) && !(it instanceof Date)
}
