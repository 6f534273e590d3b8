import { builder } from '../graphql/builder.js'
import type {
  AssessmentLineItem as AssessmentLineItemRow,
  AssessmentResult as AssessmentResultRow,
  ScoreScale as ScoreScaleRow,
} from '../generated/prisma/client.js'
import { registerNodeType } from '../graphql/nodes.js'
import { byEitherKey, referencesById, referencesBySourcedId } from '../graphql/references.js'
import { visible } from './access.js'
import { AssessmentLineItem, AssessmentResult, ScoreScale } from './schema.js'

export const resultById = referencesById<AssessmentResultRow>('AssessmentResult', ({ store, viewer }, ids, query) =>
  store.assessmentResult.findMany({ ...query, where: { ...visible(viewer), id: { in: ids } } }),
)
const lineItemById = referencesById<AssessmentLineItemRow>('AssessmentLineItem', ({ store, viewer }, ids, query) =>
  store.assessmentLineItem.findMany({ ...query, where: { ...visible(viewer), id: { in: ids } } }),
)
const scaleById = referencesById<ScoreScaleRow>('ScoreScale', ({ store, viewer }, ids, query) =>
  store.scoreScale.findMany({ ...query, where: { ...visible(viewer), id: { in: ids } } }),
)
const resultBySourcedId = referencesBySourcedId<AssessmentResultRow>('AssessmentResult', ({ store, viewer }, sourcedIds, query) =>
  store.assessmentResult.findMany({ ...query, where: { ...visible(viewer), sourcedId: { in: sourcedIds } } }),
)

builder.asEntity(AssessmentResult, {
  key: [builder.selection<{ id: string }>('id'), builder.selection<{ sourcedId: string }>('sourcedId')],
  resolveReference: byEitherKey(resultById, resultBySourcedId),
})

registerNodeType(AssessmentLineItem, lineItemById)
registerNodeType(ScoreScale, scaleById)
registerNodeType(AssessmentResult, resultById)
