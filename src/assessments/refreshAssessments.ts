import { builder } from '../graphql/builder.js'
import type { Organisation as OrganisationRow } from '../generated/prisma/client.js'
import { Organisation } from '../organisations/schema.js'
import { ForbiddenErrorType, ValidationErrorType } from '../graphql/errors.js'
import { isFailure } from '../domain/failures.js'
import { mutationPayload } from '../graphql/payload.js'
import { assessmentById } from './federation.js'
import type { Refresh } from './refresh-rules.js'
import { type RefreshDetail, refreshAssessments } from './refresh-service.js'
import { Assessment } from './schema.js'
import { ConflictErrorType } from '../versioning/schema.js'

const ExpectedVersionInput = builder.inputType('ExpectedVersionInput', {
  description: 'The version that one assessment is expected to have.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'UUID or oid of an assessment that is refreshed.' }),
    expectedVersion: t.int({ required: true, description: 'When it has another version, it is left alone with status CONFLICT.' }),
  }),
})

const RefreshStatus = builder.enumType('RefreshStatus', {
  description: 'What refreshing did to one assessment.',
  values: {
    UPDATED: { description: 'Questions were renewed or replaced, as one new version.' },
    UNCHANGED: { description: 'Nothing could be renewed or replaced.' },
    SKIPPED: { description: 'It is COMPLETE; what was scored stays as it was.' },
    CONFLICT: { description: 'It has another version than expected and was left alone.' },
  },
})

const QuestionReplacement = builder.objectRef<Refresh['replacements'][number]>('QuestionReplacement').implement({
  description: 'A question that the bank has deleted, and the one that took its place.',
  fields: (t) => ({
    oldQid: t.exposeInt('oldQid', { description: 'The bank’s number of the deleted question.' }),
    newQid: t.exposeInt('newQid', { description: 'The bank’s number of the new question, of the same topic and difficulty.' }),
  }),
})

const QuestionReplacementFailure = builder
  .objectRef<Refresh['replacementFailures'][number]>('QuestionReplacementFailure')
  .implement({
    description: 'A question that the bank has deleted and nothing could replace; it stays as it was.',
    fields: (t) => ({
      qid: t.exposeInt('qid', { description: 'The bank’s number of the deleted question.' }),
      sectionIndex: t.exposeInt('sectionIndex', { description: 'Its section, from 0.' }),
      questionIndex: t.exposeInt('questionIndex', { description: 'Its place in the section, from 0.' }),
      reason: t.exposeString('reason', { description: 'Why there is no replacement.' }),
    }),
  })

const AssessmentRefresh = builder.objectRef<RefreshDetail>('AssessmentRefresh').implement({
  description: 'What refreshing did to one assessment.',
  fields: (t) => ({
    assessment: t.field({
      type: Assessment,
      description: 'The assessment as it is now.',
      async resolve({ assessmentId }, _args, context, info) {
        const assessment = await assessmentById(context, info, assessmentId)
        if (!assessment) throw new Error(`The refreshed assessment ${assessmentId} is gone.`)
        return assessment
      },
    }),
    status: t.expose('status', { type: RefreshStatus, description: 'What was done.' }),
    totalQuestions: t.exposeInt('totalQuestions', { description: 'How many questions it holds.' }),
    questionsRefreshed: t.int({
      description: 'How many questions were renewed from a newer revision in the bank.',
      resolve: ({ refreshedQids }) => refreshedQids.length,
    }),
    refreshedQids: t.exposeIntList('refreshedQids', { description: 'Which questions were renewed.' }),
    deletedQuestionsReplaced: t.int({
      description: 'How many deleted questions were replaced.',
      resolve: ({ replacements }) => replacements.length,
    }),
    replacements: t.expose('replacements', { type: [QuestionReplacement], description: 'Which were replaced, and by which.' }),
    deletedQuestionsNotReplaced: t.int({
      description: 'How many deleted questions nothing could replace.',
      resolve: ({ replacementFailures }) => replacementFailures.length,
    }),
    replacementFailures: t.expose('replacementFailures', {
      type: [QuestionReplacementFailure],
      description: 'Which could not be replaced, and why.',
    }),
    conflict: t.expose('conflict', { type: ConflictErrorType, nullable: true, description: 'Set when the status is CONFLICT.' }),
  }),
})

const RefreshAssessmentsPayload = mutationPayload(
  'RefreshAssessments',
  builder.objectRef<{ organisation: OrganisationRow; details: RefreshDetail[] }>('RefreshAssessmentsSuccess'),
  [ForbiddenErrorType, ValidationErrorType],
  (t) => ({
    message: t.string({
      description: 'How many assessments were processed, in words.',
      resolve: ({ details }) => `Successfully refreshed ${processed(details)} ${processed(details) === 1 ? 'assessment' : 'assessments'}.`,
    }),
    organisation: t.expose('organisation', { type: Organisation, description: 'The organisation whose assessments they are.' }),
    assessmentsUpdated: t.int({
      description: 'How many assessments were processed: those UPDATED and those UNCHANGED.',
      resolve: ({ details }) => processed(details),
    }),
    details: t.expose('details', { type: [AssessmentRefresh], description: 'Each selected assessment, ascending by oid.' }),
  }),
)

function processed(details: RefreshDetail[]): number {
  return details.filter(({ status }) => status === 'UPDATED' || status === 'UNCHANGED').length
}

builder.mutationField('refreshAssessments', (t) =>
  t.field({
    type: RefreshAssessmentsPayload,
    nullable: true,
    description:
      'Renews the questions of assessments from the bank and replaces those that it has deleted, all in one transaction. Needs ASSESSMENTS_WRITE. ForbiddenError lists the ids that are not assessments of the organisation; then nothing is touched.',
    args: {
      assessmentIds: t.arg.idList({
        description: 'UUIDs, or oids in digits. Left out, null or empty: every assessment of the organisation.',
      }),
      expectedVersions: t.arg({
        type: [ExpectedVersionInput],
        description: 'Versions that some of them are expected to have; the others are refreshed whatever their version.',
      }),
    },
    async resolve(_root, args, context) {
      const answer = await refreshAssessments(context, args)
      return isFailure(answer) ? answer : { organisation: context.viewer.organisation, details: answer }
    },
  }),
)
