import { builder } from '../graphql/builder.js'
import type { Assessment as AssessmentRow } from '../generated/prisma/client.js'
import { ForbiddenErrorType, NotFoundErrorType, ValidationErrorType } from '../graphql/errors.js'
import { isFailure } from '../domain/failures.js'
import { mutationPayload } from '../graphql/payload.js'
import { AlreadyExists, Assessment, IntakeMode } from './schema.js'
import { createAssessment } from './service.js'

const CreateAssessmentInput = builder.inputType('CreateAssessmentInput', {
  description: 'What to assess, and how.',
  fields: (t) => ({
    entityId: t.id({ required: true, description: 'UUID of the entity to assess.' }),
    templateId: t.id({ required: true, description: 'UUID of the template to assess it by.' }),
    name: t.string({ description: '1 to 200 characters; when left out, "<template> – <entity>", cut to 200.' }),
    intakeMode: t.field({ type: IntakeMode, description: 'How the data will be collected; MANUAL_ENTRY when left out.' }),
  }),
})

const CreateAssessmentPayload = mutationPayload(
  'CreateAssessment',
  builder.objectRef<{ assessment: AssessmentRow }>('CreateAssessmentSuccess'),
  [AlreadyExists, NotFoundErrorType, ForbiddenErrorType, ValidationErrorType],
  (t) => ({
    assessment: t.expose('assessment', {
      type: Assessment,
      description: 'The new assessment, at version 1. See its workflow: it may be in state ERROR.',
    }),
  }),
)

builder.mutationField('createAssessment', (t) =>
  t.field({
    type: CreateAssessmentPayload,
    nullable: true,
    description:
      'Creates an assessment of an entity and starts the workflow of the template. Needs ASSESSMENTS_WRITE. When the question bank has too few questions, it is created all the same, with its workflow in state ERROR.',
    args: { input: t.arg({ type: CreateAssessmentInput, required: true, description: 'What to assess, and how.' }) },
    async resolve(_root, args, context) {
      const answer = await createAssessment(context, args)
      return isFailure(answer) ? answer : { assessment: answer }
    },
  }),
)
