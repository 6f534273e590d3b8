import type { GraphQLResolveInfo } from 'graphql'
import type { Context } from './context.js'
import { batchedLookup } from './connections.js'
import { isSourcedId, isUuid } from '../domain/validation.js'
import { idOf } from './scalars.js'

/** Reads the viewer's rows with these values of the column. `query` is a Prisma query for what the document selects. */
type Find<Row> = (context: Context, names: string[], query: object) => PromiseLike<Row[]>

/** Finds a row of the viewer by what a client calls it; null if the viewer's organisation has no such row. */
export type Load<Row> = (context: Context, info: GraphQLResolveInfo, named: unknown) => Promise<Row | null> | null

/** Makes a function that finds a row of a type by its id, in upper or lower case. All rows at the same field of the document are read with one statement. */
export function referencesById<Row extends { id: string }>(typeName: string, find: Find<Row>): Load<Row> {
  const batch = batchedLookup<Row>(typeName, 'id')
  return (context, info, named) => {
    const id = idOf(named)
    return id !== null && isUuid(id) ? batch(context, info, id.toLowerCase(), (ids, query) => find(context, ids, query)) : null
  }
}

/** The same for the column `sourcedId`. */
export function referencesBySourcedId<Row extends { sourcedId: string | null }>(typeName: string, find: Find<Row>): Load<Row> {
  const batch = batchedLookup<Row>(typeName, 'sourcedId')
  return (context, info, named) => {
    const sourcedId = idOf(named)
    return sourcedId !== null && isSourcedId(sourcedId) ? batch(context, info, sourcedId, (sourcedIds, query) => find(context, sourcedIds, query)) : null
  }
}

/** Resolves the representations of a type with two keys: by its id, or by its sourcedId where that is null or left out. */
export function byEitherKey<Row>(byId: Load<Row>, bySourcedId: Load<Row>) {
  return (key: { id?: unknown; sourcedId?: unknown }, context: Context, info: GraphQLResolveInfo) =>
    key.id != null ? byId(context, info, key.id) : bySourcedId(context, info, key.sourcedId)
}
