import { builder } from '../builder.js'
import { changedRow, changeType, sinceVersionDescription, subscribeTo } from '../shared/change-subscription.js'
import { isUuid } from '../shared/validation.js'
import { visible } from './access.js'
import { assessmentById } from './entities.js'
import { Assessment } from './schema.js'

const AssessmentChange = changeType('Assessment', (t) => ({
  assessment: t.field({
    type: Assessment,
    description: 'The row as it is now, which may be a later version already.',
    resolve: (change, _args, context, info) => changedRow(assessmentById, change, context, info),
  }),
}))

builder.subscriptionField('assessmentChanged', (t) =>
  t.field({
    type: AssessmentChange,
    authScopes: { scope: 'ASSESSMENTS_READ' },
    description: 'Every change of one assessment, in order, without gaps or repeats. Needs ASSESSMENTS_READ.',
    args: {
      id: t.arg.id({ required: true, description: 'UUID of the assessment.' }),
      sinceVersion: t.arg.int({ description: sinceVersionDescription }),
    },
    async subscribe(_root, { id, sinceVersion }, context) {
      const { db, viewer } = context
      const row = isUuid(id)
        ? await db.assessment.findFirst({ where: { ...visible(viewer), id }, select: { id: true, version: true } })
        : null
      return subscribeTo(context, 'Assessment', 'ASSESSMENTS_READ', row, sinceVersion)
    },
    resolve: (change) => change,
  }),
)
