import { builder } from '../builder.js'
import { changedRow, changeType, sinceVersionDescription, subscribeTo } from '../shared/change-subscription.js'
import { isUuid } from '../shared/validation.js'
import { visible } from './access.js'
import { recordById } from './entities.js'
import { AssessmentRecord } from './schema.js'

const AssessmentRecordChange = changeType('AssessmentRecord', (t) => ({
  assessmentRecord: t.field({
    type: AssessmentRecord,
    description: 'The row as it is now, which may be a later version already.',
    resolve: (change, _args, context, info) => changedRow(recordById, change, context, info),
  }),
}))

builder.subscriptionField('assessmentRecordChanged', (t) =>
  t.field({
    type: AssessmentRecordChange,
    authScopes: { scope: 'RECORDS_READ' },
    description: 'Every change of one assessment record, in order, without gaps or repeats. Needs RECORDS_READ.',
    args: {
      id: t.arg.id({ required: true, description: 'UUID of the record.' }),
      sinceVersion: t.arg.int({ description: sinceVersionDescription }),
    },
    async subscribe(_root, { id, sinceVersion }, context) {
      const { db, viewer } = context
      const row = isUuid(id)
        ? await db.assessmentRecord.findFirst({ where: { ...visible(viewer), id }, select: { id: true, version: true } })
        : null
      return subscribeTo(context, 'AssessmentRecord', 'RECORDS_READ', row, sinceVersion)
    },
    resolve: (change) => change,
  }),
)
