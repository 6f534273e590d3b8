import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core'
import {
  defaultFieldResolver,
  type FieldNode,
  getNamedType,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  isLeafType,
  isObjectType,
} from 'graphql'
import { isRecord } from '../domain/is-record.js'
import { selectedFields } from './selections.js'

// Pothos finds the types of its plugins in this namespace.
declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      storedColumns: StoredColumnsPlugin<Types>
    }
  }
}

/** The extensions in which Pothos's Prisma plugin keeps the columns that a field selects, and its relation. */
const SELECT = 'pothosPrismaSelect'
const RELATION = 'pothosPrismaRelationField'

/**
 * Resolves a field that only needs columns from its row, if the row has them, wherever the row came from. Pothos would read a row that it
 * has not loaded itself, e.g. one that a write returned, once more, and perhaps at a later version. The same holds for a relation to one
 * row, if the document selects only columns of that row. All other fields, and those whose columns are missing, are resolved by Pothos,
 * which reads what is missing. Pothos cannot do so for a field of an interface: its columns must be in the query of the row.
 */
class StoredColumnsPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override wrapResolve(resolver: GraphQLFieldResolver<unknown, Types['Context'], object>, { extensions, resolve = defaultFieldResolver }: PothosOutputFieldConfig<Types>) {
    const relation = relatedRow(extensions?.[RELATION])
    const needed = relation === undefined ? columnsOf(extensions?.[SELECT]) : [relation]
    if (!needed) return resolver
    const showsColumns = relation === undefined ? () => true : showsColumnsAlone()
    const wrapped: typeof resolver = (row, args, context, info) =>
      has(row, needed) && showsColumns(info) ? resolve(row, args, context, info) : resolver(row, args, context, info)
    return wrapped
  }
}

/** The extensions of an interface's field that needs a column. With them, Pothos selects it for all types that implement the interface. */
export function selecting(column: string) {
  return { [SELECT]: { [column]: true } }
}

/** The columns of a `select`; null if it has anything but columns. */
function columnsOf(select: unknown): string[] | null {
  if (!isRecord(select)) return null
  const selected = Object.entries(select)
  return selected.every(([, it]) => it === true) ? selected.map(([name]) => name) : null
}

/** The name of a relation, if it leads to one row and not to a list. */
function relatedRow(relation: unknown): string | undefined {
  return isRecord(relation) && relation['isList'] === false && typeof relation['name'] === 'string' ? relation['name'] : undefined
}

/** Makes a function that tells whether the document selects only columns below a field. It looks once at each field of a document. */
function showsColumnsAlone() {
  const known = new WeakMap<readonly FieldNode[], boolean>()
  return (info: GraphQLResolveInfo): boolean => {
    let answer = known.get(info.fieldNodes)
    if (answer === undefined) {
      const type = getNamedType(info.returnType)
      answer = isObjectType(type) && selectedFields(info).every(({ name }) => isColumn(type, name.value))
      known.set(info.fieldNodes, answer)
    }
    return answer
  }
}

function isColumn(type: GraphQLObjectType, name: string): boolean {
  const field = type.getFields()[name]
  if (!field) return name === '__typename'
  return columnsOf(field.extensions[SELECT]) !== null || (!field.extensions[SELECT] && isLeafType(getNamedType(field.type)))
}

function has(row: unknown, names: string[]): boolean {
  if (!isRecord(row)) return false
  for (const name of names) if (!(name in row)) return false
  return true
}

export const storedColumns = 'storedColumns'
SchemaBuilder.registerPlugin(storedColumns, StoredColumnsPlugin)
