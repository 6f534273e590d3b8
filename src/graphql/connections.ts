import { queryFromInfo } from '@pothos/plugin-prisma'
import DataLoader from 'dataloader'
import type { FieldNode, GraphQLResolveInfo } from 'graphql'
import { totalCountHint, totalCountOf } from '../domain/query-hints.js'
import type { Context } from './context.js'
import type { Connection, Page } from './pagination.js'
import { selectedFields } from './selections.js'

/** A Prisma model, e.g. `store.assessment`, as far as a list needs it. */
interface ListedModel<Row, Where> {
  findMany(query: object): PromiseLike<Row[]>
  count(query: { where: Where }): PromiseLike<number>
}

/** The columns and relations that a document selects of a connection's nodes, and those that its cursors are made of, as a Prisma query. */
export function nodeQuery(context: Context, info: GraphQLResolveInfo, { columns }: { columns: string[] }) {
  return withColumns(queryFromInfo({ context, info, paths: [['nodes'], ['edges', 'node']] }), columns)
}

/** What is selected besides; nothing is where no field of the type is shown. */
function withColumns(query: { select?: object }, columns: string[]): object {
  return { ...query, select: { ...query.select, ...Object.fromEntries(columns.map((name) => [name, true])) } }
}

/** Whether a document selects a field of what is being resolved, without a condition. */
function selects(info: GraphQLResolveInfo, wanted: string): boolean {
  return selectedFields(info, ({ directives }) => !directives?.length).some(({ name }) => name.value === wanted)
}

/** Reads one page of a root list; the whole list is counted only when that is asked for, by the same statement where that can be. */
export async function listPage<Row, Node extends Row, Where>(
  context: Context,
  info: GraphQLResolveInfo,
  model: ListedModel<Node, Where>,
  { where, page }: { where: Where; page: Page<Row> },
): Promise<Connection<Node>> {
  const query = { ...nodeQuery(context, info, page), where: { AND: [where, page.where] }, orderBy: page.orderBy, take: page.take }
  const rows = await model.findMany(selects(info, 'totalCount') ? { ...query, [totalCountHint]: where } : query)
  return page.connection(rows, async () => totalCountOf(rows) ?? model.count({ where }))
}

/** How a list below many parents is read: by one statement for the pages and one for the counts. */
interface RelatedList<Node> {
  /** The page of each parent, `query` being the arguments of the relation. */
  read(context: Context, parentIds: string[], query: object): PromiseLike<{ id: string; nodes: Node[] }[]>
  /** The length of each parent's whole list; a parent left out has none. */
  count(context: Context, parentIds: string[]): PromiseLike<{ id: string; count: number }[]>
}

/**
 * Declares a connection below a type. Its pages are read for all parents of the same place in the
 * document together, since arguments and selection are the same for each of them.
 */
export function batchedConnection<Node>({ read, count }: RelatedList<Node>) {
  const batch = batchPerField<Connection<Node>>()
  return (context: Context, info: GraphQLResolveInfo, parentId: string, page: Page<Node>): Promise<Connection<Node>> => {
    // Planned for every parent, though one query reads for all: it tells Pothos what their rows hold,
    // which it would load once more otherwise.
    const query = { ...nodeQuery(context, info, page), where: page.where, orderBy: page.orderBy, take: page.take }
    return batch(context, info, parentId, async (ids) => {
      const nodes = new Map((await read(context, ids, query)).map((parent) => [parent.id, parent.nodes]))
      const counts = new DataLoader<string, number>(async (countIds) => {
        const found = new Map((await count(context, [...countIds])).map((parent) => [parent.id, parent.count]))
        return countIds.map((id) => found.get(id) ?? 0)
      })
      return (id) => page.connection(nodes.get(id) ?? [], () => counts.load(id))
    })
  }
}

/**
 * Declares a field that reads one row by the column that names it, together with the rows of the same
 * place: null where there is none.
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
    // For every row, as in `batchedConnection`, but for those that one call of a resolver names.
    const query = queries.get(info) ?? withColumns(queryFromInfo({ context, info, typeName }), [column])
    queries.set(info, query)
    return batch(context, info, name, async (names) => {
      const rows = new Map<unknown, Row>((await find(names, query)).map((row) => [row[column], row]))
      return (wanted) => rows.get(wanted) ?? null
    })
  }
}

/**
 * One batch for each place in the document where the field is selected, for each request. Executors have
 * one list of nodes for it, whatever row they are at; at the same path, rows of another type have another.
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
          // What is asked for later is another batch. As a value of the weak map this one would be held until the whole heap is collected.
          places.delete(place)
          const resultOf = await load([...keys])
          return keys.map(resultOf)
        },
        { maxBatchSize: 500 },
      )
    places.set(place, loader)
    return loader.load(key)
  }
}
