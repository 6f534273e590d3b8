import { queryFromInfo } from '@pothos/plugin-prisma'
import DataLoader from 'dataloader'
import type { FieldNode, GraphQLResolveInfo } from 'graphql'
import { matchesNothing } from '../domain/conditions.js'
import { totalCountHint, totalCountOf } from '../domain/query-hints.js'
import { afterTurns } from '../request-scope/turns.js'
import type { Context } from './context.js'
import type { Connection, Page } from './pagination.js'
import { selectedFields } from './selections.js'

/** The methods of a Prisma model, e.g. `store.assessment`, that a list needs. */
interface ListedModel<Row, Where> {
  findMany(query: object): PromiseLike<Row[]>
  count(query: { where: Where }): PromiseLike<number>
}

/** A Prisma query for the nodes of a connection: the columns and relations that the document selects, and the columns of the cursors. */
function nodeQuery(context: Context, info: GraphQLResolveInfo, { columns }: { columns: string[] }) {
  return withColumns(queryFromInfo({ context, info, paths: [['nodes'], ['edges', 'node']] }), columns)
}

/** A Prisma query for a row of a type: the columns and relations that the document selects below the field, and these columns. */
export function rowQuery(context: Context, info: GraphQLResolveInfo, typeName: string, columns: string[]): object {
  return withColumns(queryFromInfo({ context, info, typeName }), columns)
}

/** Adds columns to the `select` of a query. The query has none if the document selects no field of the type. */
function withColumns(query: { select?: object }, columns: string[]): object {
  return { ...query, select: { ...query.select, ...Object.fromEntries(columns.map((name) => [name, true])) } }
}

/** Whether the document selects a field below the one that is being resolved, without @skip or @include. */
function selects(info: GraphQLResolveInfo, wanted: string): boolean {
  return selectedFields(info, ({ directives }) => !directives?.length).some(({ name }) => name.value === wanted)
}

/**
 * Reads one page of a list at the root of a query. The total is counted only if the document selects it, and with the same statement if the
 * store can. A list that no row can be in costs no statement.
 */
export async function listPage<Row, Node extends Row, Where>(
  context: Context,
  info: GraphQLResolveInfo,
  model: ListedModel<Node, Where>,
  { where, page }: { where: Where; page: Page<Row> },
): Promise<Connection<Node>> {
  if (matchesNothing(where)) return page.connection<Node>([], () => Promise.resolve(0))
  const query = { ...nodeQuery(context, info, page), where: { AND: [where, page.where] }, orderBy: page.orderBy, take: page.take }
  const rows = await model.findMany(selects(info, 'totalCount') ? { ...query, [totalCountHint]: where } : query)
  return page.connection(rows, async () => totalCountOf(rows) ?? model.count({ where }))
}

/** How to read a connection below many parents: the pages with one statement, the counts with another. */
interface RelatedList<Node> {
  /** Reads the page of each parent. `query` is the value for the relation in the `select` of the parent's model. */
  read(context: Context, parentIds: string[], query: object): PromiseLike<{ id: string; nodes: Node[] }[]>
  /** Counts the whole list of each parent. A parent with an empty list may be left out. */
  count(context: Context, parentIds: string[]): PromiseLike<{ id: string; count: number }[]>
}

/**
 * Makes the resolver of a connection below a type, e.g. `Entity.assessments`. The pages of all parents at the same field of the document
 * are read together, because they have the same arguments and selection.
 */
export function batchedConnection<Node>({ read, count }: RelatedList<Node>) {
  const batch = batchPerField<Connection<Node>>()
  return (context: Context, info: GraphQLResolveInfo, parentId: string, page: Page<Node>): Promise<Connection<Node>> => {
    // Made for each parent, though only one is used: making it tells Pothos which columns the rows at this path will have.
    // Otherwise Pothos would load them again.
    const query = { ...nodeQuery(context, info, page), where: page.where, orderBy: page.orderBy, take: page.take }
    return batch(context, info, parentId, async (ids) => {
      const nodes = new Map((await read(context, ids, query)).map((parent) => [parent.id, parent.nodes]))
      const counts = new DataLoader<string, number>(async (countIds) => {
        const found = new Map((await count(context, [...countIds])).map((parent) => [parent.id, parent.count]))
        return countIds.map((id) => found.get(id) ?? 0)
      }, { batchScheduleFn: afterTurns })
      return (id) => page.connection(nodes.get(id) ?? [], () => counts.load(id))
    })
  }
}

/**
 * Makes a function that finds a row by the value of a unique column, or null. All rows that are looked up at the same field of the
 * document are read together.
 *
 * @param column The unique column, e.g. `id`.
 */
export function batchedLookup<Row>(typeName: string, column: keyof Row & string) {
  const batch = batchPerField<Row | null>()
  const queries = new WeakMap<GraphQLResolveInfo, object>()
  return (
    context: Context,
    info: GraphQLResolveInfo,
    name: string,
    find: (names: string[], query: object) => PromiseLike<Row[]>,
  ): Promise<Row | null> => {
    // Made for each `info`, as in `batchedConnection`. A call of a resolver that looks up several rows has one `info` for all of them.
    const query = queries.get(info) ?? rowQuery(context, info, typeName, [column])
    queries.set(info, query)
    return batch(context, info, name, async (names) => {
      const rows = new Map<unknown, Row>((await find(names, query)).map((row) => [row[column], row]))
      return (wanted) => rows.get(wanted) ?? null
    })
  }
}

/**
 * Makes a batch for each request and each field of the document. `info.fieldNodes` identifies the field: executors pass the same array for
 * all rows of one type at that field. The path would not do, because rows of another type can be at the same one.
 */
function batchPerField<Result>() {
  const requests = new WeakMap<Context, Map<readonly FieldNode[], DataLoader<string, Result>>>()
  return (
    context: Context,
    info: GraphQLResolveInfo,
    key: string,
    load: (keys: string[]) => Promise<(key: string) => Result | Error>,
  ): Promise<Result> => {
    const places = requests.get(context) ?? new Map<readonly FieldNode[], DataLoader<string, Result>>()
    requests.set(context, places)
    const place = info.fieldNodes
    const loader =
      places.get(place) ??
      new DataLoader<string, Result>(
        async (keys) => {
          // Later loads make another batch. This one is removed because the values of a WeakMap live until a major garbage collection.
          places.delete(place)
          const resultOf = await load([...keys])
          return keys.map(resultOf)
        },
        { maxBatchSize: 500, batchScheduleFn: afterTurns },
      )
    places.set(place, loader)
    return loader.load(key)
  }
}
