import { builder } from '../builder.js'
import type { Assessment as AssessmentRow } from '../generated/prisma/client.js'
import { Entity } from '../organisations/schema.js'
import { listPage, relatedPages } from '../shared/connections.js'
import { orderInput } from '../shared/order-direction.js'
import { isUuid } from '../shared/validation.js'
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
    resolve: (query, _root, { id }, { reads, viewer }) =>
      isUuid(id) ? reads.assessment.findById(query, visible(viewer), id.toLowerCase()) : null,
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
        listPage(context, info, context.reads.assessment, planAssessments(context.viewer, args)),
    },
    AssessmentConnection,
  ),
}))

const ofEntities = relatedPages<AssessmentRow>()
builder.prismaObjectField(Entity, 'assessments', (t) =>
  t.connection(
    {
      type: Assessment,
      authScopes: { scope: 'ASSESSMENTS_READ' },
      description: 'The assessments of this entity, the newest first.',
      resolve(entity, args, context, info) {
        const { db, viewer } = context
        return ofEntities(context, info, entity.id, planAssessments(viewer, args, 'Entity.assessments').page, {
          async read(ids, assessments) {
            const entities = await db.entity.findMany({
              where: { ...visible(viewer), id: { in: ids } },
              select: { id: true, assessments },
            })
            return entities.map(({ id, assessments: nodes }) => ({ id, nodes }))
          },
          async count(ids) {
            const groups = await db.assessment.groupBy({
              by: 'entityId',
              where: { ...visible(viewer), entityId: { in: ids } },
              _count: true,
            })
            return groups.map(({ entityId, _count }) => ({ id: entityId, count: _count }))
          },
        })
      },
    },
    AssessmentConnection,
  ),
)

const ofTemplates = relatedPages<AssessmentRow>()
builder.prismaObjectField(AssessmentTemplate, 'assessments', (t) =>
  t.connection(
    {
      type: Assessment,
      authScopes: { scope: 'ASSESSMENTS_READ' },
      description: 'The assessments created from this template, the newest first.',
      resolve(template, args, context, info) {
        const { db, viewer } = context
        return ofTemplates(context, info, template.id, planAssessments(viewer, args, 'AssessmentTemplate.assessments').page, {
          async read(ids, assessments) {
            const templates = await db.assessmentTemplate.findMany({
              where: { ...visible(viewer), id: { in: ids } },
              select: { id: true, assessments },
            })
            return templates.map(({ id, assessments: nodes }) => ({ id, nodes }))
          },
          async count(ids) {
            const groups = await db.assessment.groupBy({
              by: 'templateId',
              where: { ...visible(viewer), templateId: { in: ids } },
              _count: true,
            })
            return groups.map(({ templateId, _count }) => ({ id: templateId, count: _count }))
          },
        })
      },
    },
    AssessmentConnection,
  ),
)
