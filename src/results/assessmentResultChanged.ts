import { builder } from '../builder.js'
import { changedRow, changeType, sinceVersionDescription, subscribeTo } from '../shared/change-subscription.js'
import { exactText } from '../shared/filters.js'
import { visible } from './access.js'
import { resultById } from './entities.js'
import { AssessmentResult } from './schema.js'

const AssessmentResultChange = changeType('AssessmentResult', (t) => ({
  assessmentResult: t.field({
    type: AssessmentResult,
    description: 'The row as it is now, which may be a later version already.',
    resolve: (change, _args, context, info) => changedRow(resultById, change, context, info),
  }),
}))

builder.subscriptionField('assessmentResultChanged', (t) =>
  t.field({
    type: AssessmentResultChange,
    authScopes: { scope: 'RESULTS_READ' },
    description: 'Every change of one result, in order, without gaps or repeats. Needs RESULTS_READ.',
    args: {
      sourcedId: t.arg.id({ required: true, description: 'The writing system’s own id of the result.' }),
      sinceVersion: t.arg.int({ description: sinceVersionDescription }),
    },
    async subscribe(_root, { sourcedId, sinceVersion }, context) {
      const { db, viewer } = context
      const row = await db.assessmentResult.findFirst({
        where: { ...visible(viewer), sourcedId: exactText(sourcedId) },
        select: { id: true, version: true },
      })
      return subscribeTo(context, 'AssessmentResult', 'RESULTS_READ', row, sinceVersion)
    },
    resolve: (change) => change,
  }),
)
