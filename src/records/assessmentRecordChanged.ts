import { isUuid } from '../domain/validation.js'
import { changeSubscription, rowDescription } from '../versioning/change-subscription.js'
import { changedRow } from '../versioning/event-rows.js'
import { visible } from './access.js'
import { AssessmentRecord } from './schema.js'

const row = changedRow('AssessmentRecord', ({ store, viewer }, id, query) => store.assessmentRecord.findUnique({ ...query, where: { ...visible(viewer), id } }))

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
      resolve: (change, _args, context, info) => row(change, context, info),
    }),
})
