import { isSourcedId } from '../domain/validation.js'
import { changedRow, changeSubscription, rowDescription } from '../versioning/change-subscription.js'
import { visible } from './access.js'
import { resultById } from './federation.js'
import { AssessmentResult } from './schema.js'

changeSubscription({
  kind: 'AssessmentResult',
  scope: 'RESULTS_READ',
  noun: 'result',
  key: { name: 'sourcedId', description: 'The writing system’s own id of the result.' },
  find: ({ store, viewer }, sourcedId) =>
    isSourcedId(sourcedId) ? store.assessmentResult.findFirst({ where: { ...visible(viewer), sourcedId }, select: { id: true, version: true } }) : null,
  row: (t) =>
    t.field({
      type: AssessmentResult,
      description: rowDescription,
      resolve: (change, _args, context, info) => changedRow(resultById, change, context, info),
    }),
})
