import { isUuid } from '../domain/validation.js'
import { changedRow, changeSubscription, rowDescription } from '../versioning/change-subscription.js'
import { visible } from './access.js'
import { recordById } from './federation.js'
import { AssessmentRecord } from './schema.js'

changeSubscription({
  kind: 'AssessmentRecord',
  scope: 'RECORDS_READ',
  noun: 'assessment record',
  key: { name: 'id', description: 'UUID of the record.' },
  find: ({ store, viewer }, id) =>
    isUuid(id) ? store.assessmentRecord.findFirst({ where: { ...visible(viewer), id }, select: { id: true, version: true } }) : null,
  row: (t) =>
    t.field({
      type: AssessmentRecord,
      description: rowDescription,
      resolve: (change, _args, context, info) => changedRow(recordById, change, context, info),
    }),
})
