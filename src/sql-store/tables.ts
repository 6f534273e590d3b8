import { getDatamodel } from '../generated/pothos.js'

/** PostgreSQL's names of the types that a row comparison can have. */
export type ComparableType = 'uuid' | 'text' | 'timestamptz' | 'integer' | 'double precision'

export interface Column {
  name: string
  /** Prisma's name of the type, or `enum` for any enum. */
  type: string
  isList: boolean
  /** The type to cast to in a row comparison. Undefined: the column cannot be in one. */
  comparedAs: ComparableType | undefined
}

/** A relation to one row of another table, by the foreign key `key`. */
export interface Relation {
  name: string
  table: string
  key: string
  /** Whether the other table has an organisationId, which must then be the same in both rows. */
  hasTenant: boolean
  columns: string[]
}

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

/**
 * Prisma's datamodel does not distinguish UUIDs from other strings. In this schema, ids and foreign keys are UUIDs, and no other column that
 * lists can be ordered by is one.
 */
function comparedAs(table: string, column: string): ComparableType | undefined {
  const fields = fieldsOf(table)
  const field = fields.find(({ name }) => name === column)
  if (!field || field.isList) return undefined
  const isKey = column.endsWith('Id') && fields.some(({ relationFromFields = [] }) => relationFromFields.includes(column))
  return field.isId || isKey ? 'uuid' : comparable[field.type]
}

/** The relations whose foreign key is `<name>Id`, as all are named in this schema. Others are left to Prisma. */
function relationsOf(table: string): Map<string, Relation> {
  const relations = fieldsOf(table).flatMap(({ name, type, relationFromFields = [] }) => {
    const key = `${name}Id`
    const columns = [...columnsOf(type).keys()]
    return relationFromFields.includes(key) ? [{ name, table: type, key, hasTenant: columns.includes('organisationId'), columns }] : []
  })
  return new Map(relations.map((it) => [it.name, it]))
}

/** The tables of the schema by the names of their models in Prisma's client, e.g. `assessment`. */
export const tables: ReadonlyMap<string, Table> = new Map(
  Object.keys(models).map((name) => [`${name.charAt(0).toLowerCase()}${name.slice(1)}`, { name, columns: columnsOf(name), relations: relationsOf(name) }]),
)
