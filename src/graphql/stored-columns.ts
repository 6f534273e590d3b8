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

// Where Pothos looks for the types of plugins.
declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      storedColumns: StoredColumnsPlugin<Types>
    }
  }
}

/** Where Pothos keeps what a field selects, and which relation it is. */
const SELECT = 'pothosPrismaSelect'
const RELATION = 'pothosPrismaRelationField'

/**
 * Lets fields that select nothing but columns take them from any row that has them, wherever it came
 * from: what a write returned and what a loader read is never read again, perhaps at a later version.
 * So does a field of one related row, of which nothing but columns is shown. Where the row lacks
 * them, and for all else, the field is Pothos's: it finds out which query loaded the row, and reads what
 * that one did not, except for a field of an interface, which has to be in what its query selects.
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

/** Extensions of an interface's field that takes a column: Pothos plans it for the types that implement the interface. */
export function selecting(column: string) {
  return { [SELECT]: { [column]: true } }
}

/** The columns that a selection consists of; null when it holds anything else. */
function columnsOf(select: unknown): string[] | null {
  if (!isRecord(select)) return null
  const selected = Object.entries(select)
  return selected.every(([, it]) => it === true) ? selected.map(([name]) => name) : null
}

/** The name of a relation to one row. */
function relatedRow(relation: unknown): string | undefined {
  return isRecord(relation) && relation['isList'] === false && typeof relation['name'] === 'string' ? relation['name'] : undefined
}

/** Whether a document shows nothing of a field but columns, found out once for each place in a document. */
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
