import { builder } from '../graphql/builder.js'
import type { AssessmentRecord as AssessmentRecordRow } from '../generated/prisma/client.js'
import { ForbiddenErrorType, NotFoundErrorType, ValidationErrorType } from '../graphql/errors.js'
import { isFailure } from '../domain/failures.js'
import { expectedVersionDescription, mutationPayload } from '../graphql/payload.js'
import { AssessmentRecord, AssessmentRecordStatus } from './schema.js'
import { updateAssessmentRecord } from './service.js'
import { ConflictErrorType } from '../versioning/schema.js'

const UpdateAssessmentRecordInput = builder.inputType('UpdateAssessmentRecordInput', {
  description: 'What to change; a field that is left out stays as it is.',
  fields: (t) => ({
    status: t.field({ type: AssessmentRecordStatus, description: 'Cannot be cleared.' }),
    assessmentDate: t.field({
      type: 'DateTime',
      description: 'When the user was assessed. PASSED and FAILED need one that is not in the future; null clears it.',
    }),
    assessorId: t.id({ description: 'UUID of the user who assessed; null clears it.' }),
  }),
})

const UpdateAssessmentRecordPayload = mutationPayload(
  'UpdateAssessmentRecord',
  builder.objectRef<{ assessmentRecord: AssessmentRecordRow }>('UpdateAssessmentRecordSuccess'),
  [ConflictErrorType, NotFoundErrorType, ForbiddenErrorType, ValidationErrorType],
  (t) => ({ assessmentRecord: t.expose('assessmentRecord', { type: AssessmentRecord, description: 'The record as it was written.' }) }),
)

builder.mutationField('updateAssessmentRecord', (t) =>
  t.field({
    type: UpdateAssessmentRecordPayload,
    nullable: true,
    description: 'Changes what is sent of an assessment record; expiresAt is derived. Needs RECORDS_WRITE.',
    args: {
      id: t.arg.id({ required: true, description: 'UUID of the record.' }),
      expectedVersion: t.arg.int({ description: expectedVersionDescription }),
      input: t.arg({ type: UpdateAssessmentRecordInput, required: true, description: 'What to change.' }),
    },
    async resolve(_root, args, context) {
      const answer = await updateAssessmentRecord(context, args)
      return isFailure(answer) ? answer : { assessmentRecord: answer }
    },
  }),
)
