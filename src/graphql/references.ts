import type { GraphQLResolveInfo } from 'graphql'
import type { Context } from './context.js'
import { batchedLookup } from './connections.js'
import { isStorable, isUuid } from '../domain/validation.js'

/** Reads the rows that a client names: `query` holds the columns and relations that it selects. */
type Find<Row> = (context: Context, names: string[], query: object) => PromiseLike<Row[]>

/**
 * How one type is found by what names it: all that a place in the document names are read by one
 * statement. A name that the viewer's organisation does not have gives null, for itself alone.
 *
 * @param column holds the name of a row, as `find` takes it
 */
export function references<Row extends object>(typeName: string, column: keyof Row & string, find: Find<Row>) {
  const batch = batchedLookup<Row>(typeName, column)
  return (context: Context, info: GraphQLResolveInfo, name: unknown): Promise<Row | null> | null =>
    typeof name === 'string' && isStorable(name)
      ? batch(context, info, name, (names, query) => find(context, names, query))
      : null
}

export type LoadById<Row> = (context: Context, info: GraphQLResolveInfo, id: unknown) => Promise<Row | null> | null

/** References by the UUID `id`. */
export function referencesById<Row extends { id: string }>(typeName: string, find: Find<Row>): LoadById<Row> {
  const load = references<Row>(typeName, 'id', find)
  return (context, info, id) =>
    typeof id === 'string' && isUuid(id) ? load(context, info, id.toLowerCase()) : null
}
