import { GraphQLError, type GraphQLResolveInfo } from 'graphql'
import { assessmentById } from './assessments/entities.js'
import { Assessment } from './assessments/schema.js'
import { builder } from './builder.js'
import type { Context } from './context.js'
import { entityById, organisationById, userById } from './organisations/entities.js'
import { Entity, Organisation, User } from './organisations/schema.js'
import { folderById, recordById } from './records/entities.js'
import { AssessmentRecord, Folder } from './records/schema.js'
import { lineItemById, resultById, scaleById } from './results/entities.js'
import { AssessmentLineItem, AssessmentResult, ScoreScale } from './results/schema.js'
import { MAXIMUM_PAGE_SIZE } from './shared/pagination.js'
import { Node } from './shared/node-type.js'
import type { LoadById } from './shared/references.js'
import { isUuid } from './shared/validation.js'
import { outcomeById, templateById } from './templates/entities.js'
import { AssessmentTemplate, Outcome } from './templates/schema.js'

/** How a row of each type is found by its id, and told by its type. */
const find = {
  Organisation: branded(organisationById, Organisation),
  User: branded(userById, User),
  Entity: branded(entityById, Entity),
  AssessmentTemplate: branded(templateById, AssessmentTemplate),
  Outcome: branded(outcomeById, Outcome),
  Assessment: branded(assessmentById, Assessment),
  Folder: branded(folderById, Folder),
  AssessmentRecord: branded(recordById, AssessmentRecord),
  AssessmentLineItem: branded(lineItemById, AssessmentLineItem),
  ScoreScale: branded(scaleById, ScoreScale),
  AssessmentResult: branded(resultById, AssessmentResult),
}
type NodeType = keyof typeof find

function branded<Row extends { id: string }>(
  load: LoadById<Row>,
  type: { addBrand(row: NoInfer<Row>): unknown },
) {
  return async (context: Context, info: GraphQLResolveInfo, id: string): Promise<{ id: string } | null> => {
    const row = await load(context, info, id)
    if (row) type.addBrand(row)
    return row
  }
}

/** The types of the viewer's rows with these ids, by one statement over all tables. */
async function typesOf({ db, viewer }: Context, ids: string[]): Promise<Map<string, NodeType>> {
  const wanted = ids.filter(isUuid)
  const organisationId = viewer.organisation.id
  const rows = await db.$queryRaw<{ id: string; type: NodeType }[]>`
    WITH wanted AS (SELECT unnest(${wanted}::uuid[]) AS "id")
    SELECT 'Organisation' AS "type", "id" FROM "Organisation" JOIN wanted USING ("id") WHERE "id" = ${organisationId}::uuid
    UNION ALL SELECT 'User', "id" FROM "User" JOIN wanted USING ("id") WHERE "organisationId" = ${organisationId}::uuid
    UNION ALL SELECT 'Entity', "id" FROM "Entity" JOIN wanted USING ("id") WHERE "organisationId" = ${organisationId}::uuid
    UNION ALL SELECT 'AssessmentTemplate', "id" FROM "AssessmentTemplate" JOIN wanted USING ("id") WHERE "organisationId" = ${organisationId}::uuid
    UNION ALL SELECT 'Outcome', "id" FROM "Outcome" JOIN wanted USING ("id") WHERE "organisationId" = ${organisationId}::uuid
    UNION ALL SELECT 'Assessment', "id" FROM "Assessment" JOIN wanted USING ("id") WHERE "organisationId" = ${organisationId}::uuid
    UNION ALL SELECT 'Folder', "id" FROM "Folder" JOIN wanted USING ("id") WHERE "organisationId" = ${organisationId}::uuid
    UNION ALL SELECT 'AssessmentRecord', "id" FROM "AssessmentRecord" JOIN wanted USING ("id") WHERE "organisationId" = ${organisationId}::uuid
    UNION ALL SELECT 'AssessmentLineItem', "id" FROM "AssessmentLineItem" JOIN wanted USING ("id") WHERE "organisationId" = ${organisationId}::uuid
    UNION ALL SELECT 'ScoreScale', "id" FROM "ScoreScale" JOIN wanted USING ("id") WHERE "organisationId" = ${organisationId}::uuid
    UNION ALL SELECT 'AssessmentResult', "id" FROM "AssessmentResult" JOIN wanted USING ("id") WHERE "organisationId" = ${organisationId}::uuid`
  return new Map(rows.map(({ id, type }) => [id, type]))
}

async function findNodes(context: Context, info: GraphQLResolveInfo, ids: string[]) {
  const types = await typesOf(context, ids)
  return ids.map((id) => {
    const type = types.get(id.toLowerCase())
    return type === undefined ? null : find[type](context, info, id)
  })
}

// Another subgraph may have fields of these names as well, which composition would refuse otherwise.
builder.queryFields((t) => ({
  node: t.field({
    type: Node,
    nullable: true,
    shareable: true,
    inaccessible: true,
    description: 'Whatever has this id, for clients that refetch by id alone. A composed graph leaves it out.',
    args: { id: t.arg.id({ required: true, description: 'UUID of anything that implements Node.' }) },
    resolve: async (_root, { id }, context, info) => (await findNodes(context, info, [id]))[0] ?? null,
  }),
  nodes: t.field({
    type: [Node],
    nullable: { list: false, items: true },
    shareable: true,
    inaccessible: true,
    description: 'Whatever has these ids, in their order; null for one that nothing has. A composed graph leaves it out.',
    args: { ids: t.arg.idList({ required: true, description: 'UUIDs of anything that implements Node; at most 100.' }) },
    resolve(_root, { ids }, context, info) {
      if (ids.length <= MAXIMUM_PAGE_SIZE) return findNodes(context, info, ids)
      throw new GraphQLError(`At most ${MAXIMUM_PAGE_SIZE} nodes can be asked for at once.`, { extensions: { code: 'BAD_USER_INPUT' } })
    },
  }),
}))
