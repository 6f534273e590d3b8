import { builder } from '../builder.js'
import type { AssessmentTemplate as AssessmentTemplateRow, Outcome as OutcomeRow } from '../generated/prisma/client.js'
import { referencesById } from '../shared/references.js'
import { visible } from './access.js'
import { AssessmentTemplate } from './schema.js'

export const templateById = referencesById<AssessmentTemplateRow>('AssessmentTemplate', ({ reads, viewer }, ids, query) =>
  reads.assessmentTemplate.findMany({ ...query, where: { ...visible(viewer), id: { in: ids } } }),
)

export const outcomeById = referencesById<OutcomeRow>('Outcome', ({ reads, viewer }, ids, query) =>
  reads.outcome.findMany({ ...query, where: { ...visible(viewer), id: { in: ids } } }),
)

builder.asEntity(AssessmentTemplate, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, context, info) => templateById(context, info, id),
})
