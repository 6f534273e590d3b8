import { builder } from '../graphql/builder.js'
import type { Assessment as AssessmentRow } from '../generated/prisma/client.js'
import { registerNodeType } from '../graphql/nodes.js'
import { referencesById } from '../graphql/references.js'
import { visible } from './access.js'
import { Assessment } from './schema.js'

export const assessmentById = referencesById<AssessmentRow>('Assessment', ({ store, viewer }, ids, query) =>
  store.assessment.findMany({ ...query, where: { ...visible(viewer), id: { in: ids } } }),
)

builder.asEntity(Assessment, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, context, info) => assessmentById(context, info, id),
})

registerNodeType(Assessment, assessmentById)
