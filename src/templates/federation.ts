import { builder } from '../graphql/builder.js'
import type { AssessmentTemplate as AssessmentTemplateRow, Outcome as OutcomeRow } from '../generated/prisma/client.js'
import { registerNodeType } from '../graphql/nodes.js'
import { referencesById } from '../graphql/references.js'
import { visible } from './access.js'
import { AssessmentTemplate, Outcome } from './schema.js'

const templateById = referencesById<AssessmentTemplateRow>('AssessmentTemplate', ({ store, viewer }, ids, query) =>
  store.assessmentTemplate.findMany({ ...query, where: { ...visible(viewer), id: { in: ids } } }),
)

const outcomeById = referencesById<OutcomeRow>('Outcome', ({ store, viewer }, ids, query) =>
  store.outcome.findMany({ ...query, where: { ...visible(viewer), id: { in: ids } } }),
)

builder.asEntity(AssessmentTemplate, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, context, info) => templateById(context, info, id),
})

registerNodeType(AssessmentTemplate, templateById)
registerNodeType(Outcome, outcomeById)
