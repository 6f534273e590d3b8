import { builder } from '../builder.js'
import type {
  AssessmentLineItem as AssessmentLineItemRow,
  AssessmentResult as AssessmentResultRow,
  ScoreScale as ScoreScaleRow,
} from '../generated/prisma/client.js'
import { references, referencesById } from '../shared/references.js'
import { visible } from './access.js'
import { AssessmentResult } from './schema.js'

export const resultById = referencesById<AssessmentResultRow>('AssessmentResult', ({ reads, viewer }, ids, query) =>
  reads.assessmentResult.findMany({ ...query, where: { ...visible(viewer), id: { in: ids } } }),
)
export const lineItemById = referencesById<AssessmentLineItemRow>('AssessmentLineItem', ({ reads, viewer }, ids, query) =>
  reads.assessmentLineItem.findMany({ ...query, where: { ...visible(viewer), id: { in: ids } } }),
)
export const scaleById = referencesById<ScoreScaleRow>('ScoreScale', ({ reads, viewer }, ids, query) =>
  reads.scoreScale.findMany({ ...query, where: { ...visible(viewer), id: { in: ids } } }),
)
const resultBySourcedId = references<AssessmentResultRow>(
  'AssessmentResult',
  'sourcedId',
  ({ reads, viewer }, sourcedIds, query) =>
    reads.assessmentResult.findMany({ ...query, where: { ...visible(viewer), sourcedId: { in: sourcedIds } } }),
)

builder.asEntity(AssessmentResult, {
  key: [builder.selection<{ id: string }>('id'), builder.selection<{ sourcedId: string }>('sourcedId')],
  resolveReference: (key, context, info) =>
    'id' in key ? resultById(context, info, key.id) : resultBySourcedId(context, info, key.sourcedId),
})
