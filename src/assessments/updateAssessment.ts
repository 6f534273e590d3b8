import { builder } from '../graphql/builder.js'
import type { Assessment as AssessmentRow } from '../generated/prisma/client.js'
import { ForbiddenErrorType, NotFoundErrorType, ValidationErrorType } from '../graphql/errors.js'
import { isFailure } from '../domain/failures.js'
import { expectedVersionDescription, mutationPayload } from '../graphql/payload.js'
import { AlreadyExists, Assessment, AssessmentStatus } from './schema.js'
import { updateAssessment } from './service.js'
import { ConflictErrorType } from '../versioning/schema.js'

const UpdateAssessmentInput = builder.inputType('UpdateAssessmentInput', {
  description: 'What to change; a field that is left out stays as it is.',
  fields: (t) => ({
    name: t.string({ description: '1 to 200 characters; cannot be cleared.' }),
    companyName: t.string({ description: 'Up to 200 characters; null clears it.' }),
    companyType: t.string({ description: 'Up to 100 characters; null clears it.' }),
    status: t.field({
      type: AssessmentStatus,
      description: 'Becoming COMPLETE computes score, level and outcome; leaving COMPLETE undoes that. Cannot be cleared.',
    }),
    progress: t.float({ description: 'Percent, 0 to 100; cannot be cleared.' }),
  }),
})

const UpdateAssessmentPayload = mutationPayload(
  'UpdateAssessment',
  builder.objectRef<{ assessment: AssessmentRow }>('UpdateAssessmentSuccess'),
  [AlreadyExists, ConflictErrorType, NotFoundErrorType, ForbiddenErrorType, ValidationErrorType],
  (t) => ({ assessment: t.expose('assessment', { type: Assessment, description: 'The assessment as it was written.' }) }),
)

builder.mutationField('updateAssessment', (t) =>
  t.field({
    type: UpdateAssessmentPayload,
    nullable: true,
    description:
      'Changes what is sent of an assessment. Needs ASSESSMENTS_WRITE. AlreadyExistsError: it cannot leave COMPLETE while another assessment of its entity and template type is open.',
    args: {
      id: t.arg.id({ required: true, description: 'UUID of the assessment.' }),
      expectedVersion: t.arg.int({ description: expectedVersionDescription }),
      input: t.arg({ type: UpdateAssessmentInput, required: true, description: 'What to change.' }),
    },
    async resolve(_root, args, context) {
      const answer = await updateAssessment(context, args)
      return isFailure(answer) ? answer : { assessment: answer }
    },
  }),
)
