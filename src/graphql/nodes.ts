import { GraphQLError, type GraphQLResolveInfo } from 'graphql'
import type { Scope } from '../domain/scopes.js'
import { isUuid } from '../domain/validation.js'
import { Prisma } from '../generated/prisma/client.js'
import { badInput } from './bad-input.js'
import { builder } from './builder.js'
import type { Context } from './context.js'
import { lackedScope } from './missing-scope.js'
import { MAXIMUM_PAGE_SIZE } from './pagination.js'
import type { Load } from './references.js'

/** Relay's Node interface. `registerNodeType` makes the types that implement it available to `node` and `nodes`. */
export const Node = builder.interfaceRef<{ id: string }>('Node').implement({
  description: 'Anything that `node` can find again by its id.',
  fields: (t) => ({ id: t.exposeID('id', { description: 'UUID, the same everywhere.' }) }),
})

interface NodeType {
  /** The column that holds the organisation of a row. */
  tenantColumn: 'organisationId' | 'id'
  load(context: Context, info: GraphQLResolveInfo, id: string): Promise<{ id: string } | null>
}

/** By the name of the type, which is also the name of its table. */
const nodeTypes = new Map<string, NodeType>()

/** Lets `node` and `nodes` find the rows of a type. The type must implement Node and have the name of its table. */
export function registerNodeType<Row extends { id: string }>(
  type: { name: string; addBrand(row: NoInfer<Row>): unknown },
  load: Load<Row>,
  tenantColumn: NodeType['tenantColumn'] = 'organisationId',
): void {
  nodeTypes.set(type.name, {
    tenantColumn,
    async load(context, info, id) {
      const row = await load(context, info, id)
      // Pothos finds the object type of a row by this brand.
      if (row) type.addBrand(row)
      return row
    },
  })
}

/** Finds the type of each id among the viewer's rows of the types `readable`, with one statement over their tables. Unknown ids are left out. */
async function typesOf({ store, viewer }: Context, readable: [name: string, type: NodeType][], ids: string[]): Promise<Map<string, string>> {
  const uuids = ids.filter(isUuid)
  if (uuids.length === 0) return new Map()
  const organisationId = viewer.organisation.id
  const tables = readable.map(([name, { tenantColumn }]) => {
    const [table, tenant] = [Prisma.raw(`"${name}"`), Prisma.raw(`"${tenantColumn}"`)]
    return Prisma.sql`SELECT ${name} AS "type", "id" FROM ${table} JOIN wanted USING ("id") WHERE ${tenant} = ${organisationId}::uuid`
  })
  const rows = await store.$queryRaw<{ id: string; type: string }[]>`
    WITH wanted AS (SELECT unnest(${uuids}::uuid[]) AS "id")
    ${Prisma.join(tables, ' UNION ALL ')}`
  return new Map(rows.map(({ id, type }) => [id, type]))
}

/**
 * Finds rows by id among the types that the viewer may read. Where some types need a scope that the viewer lacks, an id that is not found is
 * answered with a FORBIDDEN error, whether or not there is a row of such a type: the answer does not tell which.
 */
async function findNodes(context: Context, info: GraphQLResolveInfo, ids: string[]) {
  const lacked = new Set<Scope>()
  const readable = [...nodeTypes].filter(([name]) => {
    const scope = lackedScope(context.viewer, info.schema, name)
    if (scope) lacked.add(scope)
    return scope === null
  })
  const types = await typesOf(context, readable, ids)
  const [requiredScope] = lacked
  return ids.map(async (id) => {
    const type = nodeTypes.get(types.get(id.toLowerCase()) ?? '')
    if (type) return type.load(context, info, id)
    if (requiredScope === undefined || !isUuid(id)) return null
    const message = `Nothing that the credential may read has this id. What needs another scope was not looked for: ${[...lacked].join(', ')}.`
    throw new GraphQLError(message, { extensions: { code: 'FORBIDDEN', requiredScope } })
  })
}

/**
 * Declares `node` and `nodes`; to be called after all other fields of Query are declared. They are @shareable because federation refuses
 * to compose subgraphs that have the same field otherwise, and other subgraphs may have them too.
 */
export function declareNodeQueries(): void {
  builder.queryFields((t) => ({
    node: t.field({
      type: Node,
      nullable: true,
      shareable: true,
      inaccessible: true,
      description:
        'Whatever has this id, for clients that refetch by id alone. Without a scope that some types need, an id that is not found is null beside an error with code FORBIDDEN. A composed graph leaves it out.',
      args: { id: t.arg.id({ required: true, description: 'UUID of anything that implements Node.' }) },
      resolve: async (_root, { id }, context, info) => (await findNodes(context, info, [id]))[0] ?? null,
    }),
    nodes: t.field({
      type: [Node],
      nullable: { list: false, items: true },
      shareable: true,
      inaccessible: true,
      description:
        'Whatever has these ids, in their order; null for one that nothing has. Without a scope that some types need, one that is not found is null beside an error with code FORBIDDEN. A composed graph leaves it out.',
      args: { ids: t.arg.idList({ required: true, description: 'UUIDs of anything that implements Node; at most 100.' }) },
      resolve(_root, { ids }, context, info) {
        if (ids.length <= MAXIMUM_PAGE_SIZE) return findNodes(context, info, ids)
        throw badInput(`At most ${MAXIMUM_PAGE_SIZE} nodes can be asked for at once.`)
      },
    }),
  }))
}
