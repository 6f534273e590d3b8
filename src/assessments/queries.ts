import { builder } from '../graphql/builder.js'
import type { Context } from '../graphql/context.js'
import type { Assessment as AssessmentRow } from '../generated/prisma/client.js'
import { Entity } from '../organisations/schema.js'
import { batchedConnection, listPage } from '../graphql/connections.js'
import { orderInput } from '../graphql/order.js'
import { isUuid } from '../domain/validation.js'
import { AssessmentTemplate } from '../templates/schema.js'
import { visible } from './access.js'
import { planAssessments } from './lists.js'
import { Assessment, AssessmentStatus, RiskLevel, WorkflowState } from './schema.js'

const AssessmentConnection = builder.connectionObject(
  { type: Assessment, name: 'AssessmentConnection', description: 'A page of assessments.' },
  { name: 'AssessmentEdge', description: 'An assessment in its list.' },
)

const AssessmentFilter = builder.inputType('AssessmentFilter', {
  description: 'Which assessments to list; all conditions given must hold. A list matches any of its values.',
  fields: (t) => ({
    oid: t.intList({ description: 'One of these oids.' }),
    status: t.field({ type: [AssessmentStatus], description: 'One of these statuses.' }),
    riskLevel: t.field({ type: [RiskLevel], description: 'One of these overall risk levels.' }),
    workflowState: t.field({ type: [WorkflowState], description: 'One of these workflow states.' }),
    entityId: t.id({ description: 'About the entity with this UUID.' }),
    templateId: t.id({ description: 'From the template with this UUID.' }),
    createdById: t.id({ description: 'Created by the user with this UUID.' }),
    search: t.string({ description: 'A part of the name or of companyName, in any case.' }),
    updatedSince: t.field({ type: 'DateTime', description: 'Last changed at this time or later.' }),
  }),
})

const AssessmentOrder = orderInput('Assessment', 'assessments', {
  CREATED_AT: { description: 'When it was created.' },
  UPDATED_AT: { description: 'When it last changed.' },
  NAME: { description: 'The name.' },
  OVERALL_RISK_SCORE: { description: 'The overall risk score; those without one come last.' },
})

builder.queryFields((t) => ({
  assessment: t.prismaField({
    type: Assessment,
    nullable: true,
    authScopes: { scope: 'ASSESSMENTS_READ' },
    description: 'One assessment.',
    args: { id: t.arg.id({ required: true, description: 'UUID of the assessment.' }) },
    resolve: (query, _root, { id }, { store, viewer }) =>
      isUuid(id) ? store.assessment.findUnique({ ...query, where: { ...visible(viewer), id: id.toLowerCase() } }) : null,
  }),
  assessments: t.connection(
    {
      type: Assessment,
      authScopes: { scope: 'ASSESSMENTS_READ' },
      description: 'The assessments of the organisation, the newest first unless ordered otherwise.',
      args: {
        filter: t.arg({ type: AssessmentFilter, description: 'Which to list.' }),
        orderBy: t.arg({ type: [AssessmentOrder], description: 'In which order.' }),
      },
      resolve: (_root, args, context, info) =>
        listPage(context, info, context.store.assessment, planAssessments(context.viewer, args)),
    },
    AssessmentConnection,
  ),
}))

/** Counts the assessments of each of these entities or templates. Those without any are left out. */
async function countBy(key: 'entityId' | 'templateId', { store, viewer }: Context, ids: string[]) {
  const groups = await store.assessment.groupBy({ by: [key], where: { ...visible(viewer), [key]: { in: ids } }, _count: true })
  return groups.map((group) => ({ id: group[key], count: group._count }))
}

const ofEntities = batchedConnection<AssessmentRow>({
  async read({ store, viewer }, ids, assessments) {
    const entities = await store.entity.findMany({ where: { ...visible(viewer), id: { in: ids } }, select: { id: true, assessments } })
    return entities.map((entity) => ({ id: entity.id, nodes: entity.assessments }))
  },
  count: (context, ids) => countBy('entityId', context, ids),
})
builder.prismaObjectField(Entity, 'assessments', (t) =>
  t.connection(
    {
      type: Assessment,
      authScopes: { scope: 'ASSESSMENTS_READ' },
      description: 'The assessments of this entity, the newest first.',
      resolve: ({ id }, args, context, info) =>
        ofEntities(context, info, id, planAssessments(context.viewer, args, 'Entity.assessments').page),
    },
    AssessmentConnection,
  ),
)

const ofTemplates = batchedConnection<AssessmentRow>({
  async read({ store, viewer }, ids, assessments) {
    const templates = await store.assessmentTemplate.findMany({ where: { ...visible(viewer), id: { in: ids } }, select: { id: true, assessments } })
    return templates.map((template) => ({ id: template.id, nodes: template.assessments }))
  },
  count: (context, ids) => countBy('templateId', context, ids),
})
builder.prismaObjectField(AssessmentTemplate, 'assessments', (t) =>
  t.connection(
    {
      type: Assessment,
      authScopes: { scope: 'ASSESSMENTS_READ' },
      description: 'The assessments created from this template, the newest first.',
      resolve: ({ id }, args, context, info) =>
        ofTemplates(context, info, id, planAssessments(context.viewer, args, 'AssessmentTemplate.assessments').page),
    },
    AssessmentConnection,
  ),
)
