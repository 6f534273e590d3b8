import type { GraphQLResolveInfo } from 'graphql'
import type { Context } from './context.js'
import { batchedLookup } from './connections.js'
import { isStorable, isUuid } from '../domain/validation.js'

/** Reads the viewer's rows with these values of the column. `query` is a Prisma query for what the document selects. */
type Find<Row> = (context: Context, names: string[], query: object) => PromiseLike<Row[]>

/**
 * Makes a function that finds a row of a type by a unique string, e.g. for a federation key. All rows at the same field of the document
 * are read with one statement. The result is null for a row that the viewer's organisation does not have.
 *
 * @param column the unique column
 */
export function references<Row extends object>(typeName: string, column: keyof Row & string, find: Find<Row>) {
  const batch = batchedLookup<Row>(typeName, column)
  return (context: Context, info: GraphQLResolveInfo, name: unknown): Promise<Row | null> | null =>
    typeof name === 'string' && isStorable(name)
      ? batch(context, info, name, (names, query) => find(context, names, query))
      : null
}

export type LoadById<Row> = (context: Context, info: GraphQLResolveInfo, id: unknown) => Promise<Row | null> | null

/** The same for the column `id`, which holds UUIDs. They are accepted in upper case too. */
export function referencesById<Row extends { id: string }>(typeName: string, find: Find<Row>): LoadById<Row> {
  const load = references<Row>(typeName, 'id', find)
  return (context, info, id) =>
    typeof id === 'string' && isUuid(id) ? load(context, info, id.toLowerCase()) : null
}
