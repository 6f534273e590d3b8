import type { GraphQLResolveInfo } from 'graphql'
import type { Context } from './context.js'
import { batchedLookup } from './connections.js'
import { isSourcedId, isUuid } from '../domain/validation.js'

/** Reads the viewer's rows with these values of the column. `query` is a Prisma query for what the document selects. */
type Find<Row> = (context: Context, names: string[], query: object) => PromiseLike<Row[]>

/** Finds a row of the viewer by what a client calls it; null if the viewer's organisation has no such row. */
export type Load<Row> = (context: Context, info: GraphQLResolveInfo, named: unknown) => Promise<Row | null> | null

/** Makes a function that finds a row of a type by its id, in upper or lower case. All rows at the same field of the document are read with one statement. */
export function referencesById<Row extends { id: string }>(typeName: string, find: Find<Row>): Load<Row> {
  const batch = batchedLookup<Row>(typeName, 'id')
  return (context, info, id) =>
    typeof id === 'string' && isUuid(id) ? batch(context, info, id.toLowerCase(), (ids, query) => find(context, ids, query)) : null
}

/** The same for the column `sourcedId`. */
export function referencesBySourcedId<Row extends { sourcedId: string | null }>(typeName: string, find: Find<Row>): Load<Row> {
  const batch = batchedLookup<Row>(typeName, 'sourcedId')
  return (context, info, sourcedId) =>
    typeof sourcedId === 'string' && isSourcedId(sourcedId)
      ? batch(context, info, sourcedId, (sourcedIds, query) => find(context, sourcedIds, query))
      : null
}
