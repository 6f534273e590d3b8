import { builder } from '../graphql/builder.js'
import type { AssessmentResult as AssessmentResultRow } from '../generated/prisma/client.js'
import { batchedConnection, listPage } from '../graphql/connections.js'
import { orderInput } from '../graphql/order.js'
import { isSourcedId } from '../domain/validation.js'
import { visible } from './access.js'
import { planLineItems, planResults } from './lists.js'
import { AssessmentLineItem, AssessmentResult, AssessmentResultStatus, ScoreStatus } from './schema.js'

const AssessmentResultConnection = builder.connectionObject(
  { type: AssessmentResult, name: 'AssessmentResultConnection', description: 'A page of results.' },
  { name: 'AssessmentResultEdge', description: 'A result in its list.' },
)

const AssessmentLineItemConnection = builder.connectionObject(
  { type: AssessmentLineItem, name: 'AssessmentLineItemConnection', description: 'A page of line items.' },
  { name: 'AssessmentLineItemEdge', description: 'A line item in its list.' },
)

const AssessmentResultFilter = builder.inputType('AssessmentResultFilter', {
  description: 'Which results to list; all conditions given must hold. A list matches any of its values.',
  fields: (t) => ({
    status: t.field({ type: [AssessmentResultStatus], description: 'One of these statuses.' }),
    scoreStatus: t.field({ type: [ScoreStatus], description: 'One of these score statuses.' }),
    studentSourcedId: t.id({ description: 'Of the student with this sourcedId.' }),
    assessmentLineItemSourcedId: t.id({ description: 'On the line item with this sourcedId.' }),
    modifiedSince: t.field({ type: 'DateTime', description: 'Last changed at this time or later.' }),
  }),
})

const AssessmentResultOrder = orderInput('AssessmentResult', 'results', {
  SCORE_DATE: { description: 'When it was scored.' },
  DATE_LAST_MODIFIED: { description: 'When it last changed.' },
  SCORE: { description: 'The score; results without one come last.' },
})

builder.queryFields((t) => ({
  assessmentResult: t.prismaField({
    type: AssessmentResult,
    nullable: true,
    authScopes: { scope: 'RESULTS_READ' },
    description: 'One result.',
    args: { sourcedId: t.arg.id({ required: true, description: 'The writing system’s own id of the result.' }) },
    resolve: (query, _root, { sourcedId }, { store, viewer }) =>
      isSourcedId(sourcedId) ? store.assessmentResult.findFirst({ ...query, where: { ...visible(viewer), sourcedId } }) : null,
  }),
  assessmentResults: t.connection(
    {
      type: AssessmentResult,
      authScopes: { scope: 'RESULTS_READ' },
      description: 'The results of the organisation, the last changed first unless ordered otherwise.',
      args: {
        filter: t.arg({ type: AssessmentResultFilter, description: 'Which to list.' }),
        orderBy: t.arg({ type: [AssessmentResultOrder], description: 'In which order.' }),
      },
      resolve: (_root, args, context, info) =>
        listPage(context, info, context.store.assessmentResult, planResults(context.viewer, args)),
    },
    AssessmentResultConnection,
  ),
  assessmentLineItem: t.prismaField({
    type: AssessmentLineItem,
    nullable: true,
    description: 'One line item.',
    args: { sourcedId: t.arg.id({ required: true, description: 'The writing system’s own id of the line item.' }) },
    resolve: (query, _root, { sourcedId }, { store, viewer }) =>
      isSourcedId(sourcedId) ? store.assessmentLineItem.findFirst({ ...query, where: { ...visible(viewer), sourcedId } }) : null,
  }),
  assessmentLineItems: t.connection(
    {
      type: AssessmentLineItem,
      description: 'The line items of the organisation, the newest first.',
      args: { search: t.arg.string({ description: 'A part of the title, in any case.' }) },
      resolve: (_root, args, context, info) =>
        listPage(context, info, context.store.assessmentLineItem, planLineItems(context.viewer, args)),
    },
    AssessmentLineItemConnection,
  ),
}))

const ofLineItems = batchedConnection<AssessmentResultRow>({
  async read({ store, viewer }, ids, results) {
    const lineItems = await store.assessmentLineItem.findMany({ where: { ...visible(viewer), id: { in: ids } }, select: { id: true, results } })
    return lineItems.map((lineItem) => ({ id: lineItem.id, nodes: lineItem.results }))
  },
  async count({ store, viewer }, ids) {
    const where = { ...visible(viewer), assessmentLineItemId: { in: ids } }
    const groups = await store.assessmentResult.groupBy({ by: 'assessmentLineItemId', where, _count: true })
    return groups.map(({ assessmentLineItemId, _count }) => ({ id: assessmentLineItemId, count: _count }))
  },
})
builder.prismaObjectField(AssessmentLineItem, 'results', (t) =>
  t.connection(
    {
      type: AssessmentResult,
      authScopes: { scope: 'RESULTS_READ' },
      description: 'The results on this line item, the last changed first.',
      resolve: ({ id }, args, context, info) =>
        ofLineItems(context, info, id, planResults(context.viewer, args, 'AssessmentLineItem.results').page),
    },
    AssessmentResultConnection,
  ),
)
