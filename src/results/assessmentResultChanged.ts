import { isSourcedId } from '../domain/validation.js'
import { changeSubscription, rowDescription } from '../versioning/change-subscription.js'
import { changedRow } from '../versioning/event-rows.js'
import { visible } from './access.js'
import { AssessmentResult } from './schema.js'

const row = changedRow('AssessmentResult', ({ store, viewer }, id, query) => store.assessmentResult.findUnique({ ...query, where: { ...visible(viewer), id } }))

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
      resolve: (change, _args, context, info) => row(change, context, info),
    }),
})
