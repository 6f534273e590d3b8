import { getDatamodel } from '../generated/pothos.js'

/** What PostgreSQL calls the type of a column, if rows can be compared by such. */
export type ComparableType = 'uuid' | 'text' | 'timestamptz' | 'integer' | 'double precision'

export interface Column {
  name: string
  /** Prisma's name of the type; `enum` for any enum. */
  type: string
  isList: boolean
  /** Undefined where rows are not compared by such a column. */
  comparedAs: ComparableType | undefined
}

/** The row of another table that a row points at by `key`. */
export interface Relation {
  name: string
  table: string
  key: string
  /** Whether it belongs to an organisation, which must be the same. */
  hasTenant: boolean
  columns: string[]
}

/** A table with its columns, and the rows of others that it points at. */
export interface Table {
  name: string
  columns: ReadonlyMap<string, Column>
  relations: ReadonlyMap<string, Relation>
}

const { models } = getDatamodel().datamodel

function fieldsOf(table: string) {
  return models[table]?.fields ?? []
}

function columnsOf(table: string): Map<string, Column> {
  const columns = fieldsOf(table).filter(({ kind }) => kind !== 'object')
  return new Map(
    columns.map(({ name, type, kind, isList }) => [name, { name, type: kind === 'enum' ? 'enum' : type, isList, comparedAs: comparedAs(table, name) }]),
  )
}

const comparable: Record<string, ComparableType | undefined> = { String: 'text', DateTime: 'timestamptz', Int: 'integer', Float: 'double precision' }

/** The datamodel does not tell UUIDs from texts. In this schema keys are UUIDs; other texts by which rows are ordered are none. */
function comparedAs(table: string, column: string): ComparableType | undefined {
  const fields = fieldsOf(table)
  const field = fields.find(({ name }) => name === column)
  if (!field || field.isList) return undefined
  const isKey = column.endsWith('Id') && fields.some(({ relationFromFields = [] }) => relationFromFields.includes(column))
  return field.isId || isKey ? 'uuid' : comparable[field.type]
}

/** In this schema the key of a relation is named for it; a relation without one is left to Prisma. */
function relationsOf(table: string): Map<string, Relation> {
  const relations = fieldsOf(table).flatMap(({ name, type, relationFromFields = [] }) => {
    const key = `${name}Id`
    const columns = [...columnsOf(type).keys()]
    return relationFromFields.includes(key) ? [{ name, table: type, key, hasTenant: columns.includes('organisationId'), columns }] : []
  })
  return new Map(relations.map((it) => [it.name, it]))
}

/** The tables of the schema, by the names that Prisma's client has for their models, e.g. `assessment`. */
export const tables: ReadonlyMap<string, Table> = new Map(
  Object.keys(models).map((name) => [`${name.charAt(0).toLowerCase()}${name.slice(1)}`, { name, columns: columnsOf(name), relations: relationsOf(name) }]),
)
