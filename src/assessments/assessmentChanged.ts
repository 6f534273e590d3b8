import { isUuid } from '../domain/validation.js'
import { changeSubscription, rowDescription } from '../versioning/change-subscription.js'
import { changedRow } from '../versioning/event-rows.js'
import { visible } from './access.js'
import { Assessment } from './schema.js'

const row = changedRow('Assessment', ({ store, viewer }, id, query) => store.assessment.findUnique({ ...query, where: { ...visible(viewer), id } }))

changeSubscription({
  kind: 'Assessment',
  scope: 'ASSESSMENTS_READ',
  noun: 'assessment',
  key: { name: 'id', description: 'UUID of the assessment.' },
  find: ({ store, viewer }, id) =>
    isUuid(id) ? store.assessment.findFirst({ where: { ...visible(viewer), id }, select: { id: true, version: true } }) : null,
  row: (t) =>
    t.field({
      type: Assessment,
      description: rowDescription,
      resolve: (change, _args, context, info) => row(change, context, info),
    }),
})
