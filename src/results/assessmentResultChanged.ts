import { isSourcedId } from '../domain/validation.js'
import { changeSubscription, rowDescription, rowOfEvent } from '../versioning/change-subscription.js'
import { visible } from './access.js'
import { AssessmentResult } from './schema.js'

changeSubscription({
  kind: 'AssessmentResult',
  scope: 'RESULTS_READ',
  noun: 'result',
  key: { name: 'sourcedId', description: 'The writing system’s own id of the result.' },
  find: ({ store, viewer }, sourcedId) =>
    isSourcedId(sourcedId) ? store.assessmentResult.findFirst({ where: { ...visible(viewer), sourcedId }, select: { id: true, version: true } }) : null,
  row: (t) =>
    t.prismaField({
      type: AssessmentResult,
      description: rowDescription,
      resolve: (query, { id }, _args, { store, viewer }) => rowOfEvent(store.assessmentResult.findUnique({ ...query, where: { ...visible(viewer), id } })),
    }),
})
