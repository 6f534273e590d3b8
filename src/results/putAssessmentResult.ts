import { builder } from '../graphql/builder.js'
import type { AssessmentResult as AssessmentResultRow } from '../generated/prisma/client.js'
import { ForbiddenErrorType, NotFoundErrorType, ValidationErrorType } from '../graphql/errors.js'
import { mutationPayload } from '../graphql/payload.js'
import { AssessmentResult, AssessmentResultStatus, ScoreStatus } from './schema.js'
import { putAssessmentResult } from './service.js'
import { ConflictErrorType } from '../versioning/schema.js'

const LearningObjectiveResultInput = builder.inputType('LearningObjectiveResultInput', {
  description: 'The score on one learning objective.',
  fields: (t) => ({
    learningObjectiveId: t.string({ required: true, description: '1 to 255 characters; a UUID when the source is "case".' }),
    score: t.float({ description: 'The score as a number.' }),
    textScore: t.string({ description: 'The score as a text.' }),
  }),
})

const LearningObjectiveSetInput = builder.inputType('LearningObjectiveSetInput', {
  description: 'Scores on learning objectives from one source.',
  fields: (t) => ({
    source: t.string({ required: true, description: 'Where the objectives are defined, 1 to 255 characters, e.g. `case`.' }),
    learningObjectiveResults: t.field({
      type: [LearningObjectiveResultInput],
      required: true,
      description: 'One score for each objective.',
    }),
  }),
})

const PutAssessmentResultInput = builder.inputType('PutAssessmentResultInput', {
  description: 'The whole result: a field left out becomes null (learningObjectiveSet: empty).',
  fields: (t) => ({
    status: t.field({ type: AssessmentResultStatus, required: true, description: 'Whether it is in use.' }),
    assessmentLineItemSourcedId: t.id({ required: true, description: 'sourcedId of the line item that was scored.' }),
    studentSourcedId: t.id({ required: true, description: 'sourcedId of the user whose score it is.' }),
    scoreDate: t.field({ type: 'DateTime', required: true, description: 'When it was scored.' }),
    scoreStatus: t.field({ type: ScoreStatus, required: true, description: 'How far scoring has come.' }),
    metadata: t.field({ type: 'JSONObject', description: 'What the writing system keeps with it, up to 64 KiB of JSON.' }),
    score: t.float({ description: 'The score, within resultValueMin and resultValueMax of the line item.' }),
    textScore: t.string({ description: 'A grade (itemValueLHS) of the scale: the one given here, else the line item’s. Free text without a scale.' }),
    scoreScaleSourcedId: t.id({ description: 'sourcedId of a scale of its own.' }),
    scorePercentile: t.float({ description: 'The percentile of the score, 0 to 100.' }),
    comment: t.string({ description: 'What the scorer remarks, up to 65,536 characters.' }),
    learningObjectiveSet: t.field({ type: [LearningObjectiveSetInput], description: 'Scores on learning objectives.' }),
    inProgress: t.boolean({ description: 'Whether scoring is going on.' }),
    incomplete: t.boolean({ description: 'Whether the work is incomplete.' }),
    late: t.boolean({ description: 'Whether the work came late.' }),
    missing: t.boolean({ description: 'Whether the work is missing.' }),
  }),
})

const PutAssessmentResultPayload = mutationPayload(
  'PutAssessmentResult',
  builder.objectRef<{ assessmentResult: AssessmentResultRow; created: boolean }>('PutAssessmentResultSuccess'),
  [ConflictErrorType, NotFoundErrorType, ForbiddenErrorType, ValidationErrorType],
  (t) => ({
    assessmentResult: t.expose('assessmentResult', {
      type: AssessmentResult,
      description: 'The result as it was written.',
    }),
    created: t.exposeBoolean('created', { description: 'Whether there was none before.' }),
  }),
)

builder.mutationField('putAssessmentResult', (t) =>
  t.field({
    type: PutAssessmentResultPayload,
    nullable: true,
    description: 'Creates or replaces a result whole, under the caller’s sourcedId. Needs RESULTS_WRITE.',
    args: {
      sourcedId: t.arg.id({ required: true, description: 'The writing system’s own id, 1 to 255 characters.' }),
      expectedVersion: t.arg.int({
        description:
          'The version that is replaced; 0: there must be none yet. Otherwise nothing is changed and the answer is a ConflictError, or a NotFoundError where there is none. Left out or null: create or replace.',
      }),
      input: t.arg({ type: PutAssessmentResultInput, required: true, description: 'The whole result.' }),
    },
    resolve: (_root, args, context) => putAssessmentResult(context, args),
  }),
)
