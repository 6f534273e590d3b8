import { getDatamodel } from '../generated/pothos.js'

/** PostgreSQL's names of the types that a row comparison can have. */
export type ComparableType = 'uuid' | 'text' | 'timestamptz' | 'integer' | 'double precision'

export interface Column {
  name: string
  /** Its name in SQL, with its table. */
  sql: string
  /** Prisma's name of the type, or `enum` for any enum. */
  type: string
  isList: boolean
  /** Whether `pg` parses its values in the same way as Prisma. */
  isReadAlike: boolean
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
  columns: ReadonlyMap<string, Column>
}

/** What a query selects of a relation. */
export interface SelectedRelation {
  relation: Relation
  columns: Column[]
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

/** Prisma's names of the types whose values `pg` parses in the same way as Prisma. */
const READ_ALIKE = ['String', 'Int', 'Float', 'Boolean', 'DateTime', 'Json', 'enum']
const LISTS_READ_ALIKE = ['String', 'Int']

function columnsOf(table: string): Map<string, Column> {
  const columns = fieldsOf(table).filter(({ kind }) => kind !== 'object')
  return new Map(
    columns.map(({ name, type: named, kind, isList }) => {
      const type = kind === 'enum' ? 'enum' : named
      const isReadAlike = (isList ? LISTS_READ_ALIKE : READ_ALIKE).includes(type)
      return [name, { name, sql: `"${table}"."${name}"`, type, isList, isReadAlike, comparedAs: comparedAs(table, name) }]
    }),
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
    const columns = columnsOf(type)
    return relationFromFields.includes(key) ? [{ name, table: type, key, hasTenant: columns.has('organisationId'), columns }] : []
  })
  return new Map(relations.map((it) => [it.name, it]))
}

/** The tables of the schema by the names of their models in Prisma's client, e.g. `assessment`. */
export const tables: ReadonlyMap<string, Table> = new Map(
  Object.keys(models).map((name) => [`${name.charAt(0).toLowerCase()}${name.slice(1)}`, { name, columns: columnsOf(name), relations: relationsOf(name) }]),
)
