import { isUuid } from '../domain/validation.js'
import { changedRow, changeSubscription, rowDescription } from '../versioning/change-subscription.js'
import { visible } from './access.js'
import { assessmentById } from './federation.js'
import { Assessment } from './schema.js'

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
      resolve: (change, _args, context, info) => changedRow(assessmentById, change, context, info),
    }),
})
