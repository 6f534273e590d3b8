import { builder } from '../builder.js'
import type { Assessment as AssessmentRow } from '../generated/prisma/client.js'
import { referencesById } from '../shared/references.js'
import { visible } from './access.js'
import { Assessment } from './schema.js'

export const assessmentById = referencesById<AssessmentRow>('Assessment', ({ reads, viewer }, ids, query) =>
  reads.assessment.findMany({ ...query, where: { ...visible(viewer), id: { in: ids } } }),
)

builder.asEntity(Assessment, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, context, info) => assessmentById(context, info, id),
})
