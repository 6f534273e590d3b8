import { isUuid } from '../domain/validation.js'
import { changeSubscription, rowDescription, rowOfEvent } from '../versioning/change-subscription.js'
import { visible } from './access.js'
import { Assessment } from './schema.js'

changeSubscription({
  kind: 'Assessment',
  scope: 'ASSESSMENTS_READ',
  noun: 'assessment',
  key: { name: 'id', description: 'UUID of the assessment.' },
  find: ({ store, viewer }, id) =>
    isUuid(id) ? store.assessment.findFirst({ where: { ...visible(viewer), id }, select: { id: true, version: true } }) : null,
  row: (t) =>
    t.prismaField({
      type: Assessment,
      description: rowDescription,
      resolve: (query, { id }, _args, { store, viewer }) => rowOfEvent(store.assessment.findUnique({ ...query, where: { ...visible(viewer), id } })),
    }),
})
