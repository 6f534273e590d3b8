import { isUuid } from '../domain/validation.js'
import { changeSubscription, rowDescription, rowOfEvent } from '../versioning/change-subscription.js'
import { visible } from './access.js'
import { AssessmentRecord } from './schema.js'

changeSubscription({
  kind: 'AssessmentRecord',
  scope: 'RECORDS_READ',
  noun: 'assessment record',
  key: { name: 'id', description: 'UUID of the record.' },
  find: ({ store, viewer }, id) =>
    isUuid(id) ? store.assessmentRecord.findFirst({ where: { ...visible(viewer), id }, select: { id: true, version: true } }) : null,
  row: (t) =>
    t.prismaField({
      type: AssessmentRecord,
      description: rowDescription,
      resolve: (query, { id }, _args, { store, viewer }) => rowOfEvent(store.assessmentRecord.findUnique({ ...query, where: { ...visible(viewer), id } })),
    }),
})
