import { builder } from '../graphql/builder.js'
import type { Assessment as AssessmentRow } from '../generated/prisma/client.js'
import { ForbiddenErrorType, NotFoundErrorType, ValidationErrorType } from '../graphql/errors.js'
import { isFailure } from '../domain/failures.js'
import { expectedVersionDescription, mutationPayload } from '../graphql/payload.js'
import { Assessment } from './schema.js'
import { answerAssessmentQuestions } from './service.js'
import { ConflictErrorType } from '../versioning/schema.js'

const AnswerInput = builder.inputType('AnswerInput', {
  description: 'The answer to one question.',
  fields: (t) => ({
    questionId: t.id({ required: true, description: 'UUID of the question in this assessment.' }),
    optionKey: t.string({ description: 'Key of the chosen option; null or left out clears the answer.' }),
  }),
})

const AnswerAssessmentQuestionsPayload = mutationPayload(
  'AnswerAssessmentQuestions',
  builder.objectRef<{ assessment: AssessmentRow }>('AnswerAssessmentQuestionsSuccess'),
  [ConflictErrorType, NotFoundErrorType, ForbiddenErrorType, ValidationErrorType],
  (t) => ({ assessment: t.expose('assessment', { type: Assessment, description: 'The assessment as it was written.' }) }),
)

builder.mutationField('answerAssessmentQuestions', (t) =>
  t.field({
    type: AnswerAssessmentQuestionsPayload,
    nullable: true,
    description: 'Sets or clears answers of an assessment, all or none; not while it is COMPLETE. Needs ASSESSMENTS_WRITE.',
    args: {
      id: t.arg.id({ required: true, description: 'UUID of the assessment.' }),
      expectedVersion: t.arg.int({ description: expectedVersionDescription }),
      answers: t.arg({ type: [AnswerInput], required: true, description: 'One answer a question; the others keep theirs.' }),
    },
    async resolve(_root, args, context) {
      const answer = await answerAssessmentQuestions(context, args)
      return isFailure(answer) ? answer : { assessment: answer }
    },
  }),
)
