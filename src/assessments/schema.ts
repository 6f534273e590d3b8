import type { GraphQLResolveInfo } from 'graphql'
import { builder } from '../graphql/builder.js'
import { OrganisationLoaders } from '../organisations/loaders.js'
import { TemplateLoaders } from '../templates/loaders.js'
import type { Assessment as AssessmentRow } from '../generated/prisma/client.js'
import { Organisation } from '../organisations/schema.js'
import { QuestionDifficulty, QuestionOption } from '../templates/schema.js'
import { ErrorInterface } from '../graphql/errors.js'
import { AlreadyExistsError } from '../domain/failures.js'
import { type JsonObject, jsonObject } from '../domain/json.js'
import { upToCharacters } from '../graphql/text-size.js'
import { Node } from '../graphql/nodes.js'
import { Versioned } from '../versioning/schema.js'
import { answerOf, type Question, type Section, storedSections } from './rules.js'

export const AssessmentStatus = builder.enumType('AssessmentStatus', {
  description: 'How far an assessment has come. Any status may follow any other.',
  values: {
    DRAFT: { description: 'Being filled in.' },
    ANALYZING: { description: 'The answers are being analysed.' },
    ACTION_REQUIRED: { description: 'Somebody has to act before it can go on.' },
    COMPLETE: { description: 'Finished: scored, and its answers no longer change.' },
  },
})

export const IntakeMode = builder.enumType('IntakeMode', {
  description: 'How the data of an assessment is collected.',
  values: {
    UPLOAD: { description: 'From uploaded documents.' },
    GUIDED_INTERVIEW: { description: 'In a guided interview.' },
    MANUAL_ENTRY: { description: 'Typed in by hand.' },
  },
})

export const RiskLevel = builder.enumType('RiskLevel', {
  description: 'Class of an overall risk score.',
  values: {
    LOW: { description: 'Below 25.' },
    MODERATE: { description: '25 to below 50.' },
    HIGH: { description: '50 to below 75.' },
    CRITICAL: { description: '75 and above.' },
  },
})

export const WorkflowState = builder.enumType('WorkflowState', {
  description: 'State of the workflow that creating an assessment starts.',
  values: {
    ACTIVE: { description: 'Running, at its current step.' },
    CANCELLED: { description: 'Ended before its last step.' },
    ERROR: { description: 'Could not start or go on; see its error.' },
  },
})

interface WorkflowErrorShape {
  type: string
  message: string
  step: string | null
  details: JsonObject | null
}

const WorkflowError = builder.objectRef<WorkflowErrorShape>('WorkflowError').implement({
  description: 'Why a workflow is in state ERROR.',
  fields: (t) => ({
    type: t.exposeString('type', { description: 'What kind of error, e.g. `QUESTION_POOL_EXHAUSTED`.' }),
    message: t.exposeString('message', { description: 'What went wrong, for people.' }),
    step: t.exposeString('step', { nullable: true, description: 'The step at which it happened.' }),
    details: t.expose('details', {
      type: 'JSONObject',
      nullable: true,
      description: 'What programs can use; for QUESTION_POOL_EXHAUSTED: sectionIndex (from 0), required and available questions.',
    }),
  }),
})

interface WorkflowInstanceShape {
  id: string
  state: 'ACTIVE' | 'CANCELLED' | 'ERROR'
  currentStep: string | null
  error: WorkflowErrorShape | null
}

const WorkflowInstance = builder.objectRef<WorkflowInstanceShape>('WorkflowInstance').implement({
  description: 'The run of a template’s workflow that creating an assessment starts.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'UUID.' }),
    state: t.expose('state', { type: WorkflowState, description: 'Whether it runs.' }),
    currentStep: t.exposeString('currentStep', { nullable: true, description: 'The step it is at; null in state ERROR.' }),
    error: t.expose('error', { type: WorkflowError, nullable: true, description: 'What went wrong; null unless the state is ERROR.' }),
  }),
})

/** The index of an item in its list. It is the one in the path of the response, because these lists are always returned whole and in order. */
function indexInList({ path }: GraphQLResolveInfo): number {
  if (typeof path.prev?.key === 'number') return path.prev.key
  throw new Error('It does not stand in a list.')
}

const AssessmentQuestion = builder.objectRef<Question>('AssessmentQuestion').implement({
  description: 'A question as this assessment asks it: a snapshot of the bank’s question, renewed by refreshAssessments.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'UUID; what an answer names the question by. A replacement has another one.' }),
    index: t.int({ description: 'Place in its section, from 0.', resolve: (_question, _args, _context, info) => indexInList(info) }),
    qid: t.exposeInt('qid', { description: 'The bank’s number of the question.' }),
    revision: t.exposeInt('revision', { description: 'The revision of the bank’s question that this snapshot shows.' }),
    text: t.exposeString('text', { extensions: upToCharacters(10_000), description: 'The question in words.' }),
    topic: t.exposeString('topic', { description: 'What it is about.' }),
    difficulty: t.expose('difficulty', { type: QuestionDifficulty, description: 'How hard it is.' }),
    options: t.expose('options', { type: [QuestionOption], description: 'The possible answers; exactly one can be chosen.' }),
    answer: t.field({ type: QuestionOption, nullable: true, description: 'The chosen option; null while not answered.', resolve: answerOf }),
  }),
})

const AssessmentSection = builder.objectRef<Section>('AssessmentSection').implement({
  description: 'A section of an assessment.',
  fields: (t) => ({
    index: t.int({ description: 'Place in the assessment, from 0.', resolve: (_section, _args, _context, info) => indexInList(info) }),
    title: t.exposeString('title', { description: 'Its heading.' }),
    questions: t.expose('questions', {
      type: [AssessmentQuestion],
      description: 'Its questions in their order; none when the workflow could not draw them.',
    }),
  }),
})

export const Assessment = builder.prismaObject('Assessment', {
  description: 'One assessment of one entity from one template. A read of it, sections and answers included, is always of one version.',
  interfaces: [Versioned, Node],
  authScopes: { scope: 'ASSESSMENTS_READ' },
  // Always read, whatever the document selects, because resolvers need these columns.
  select: {
    id: true,
    version: true,
    entityId: true,
    templateId: true,
    createdById: true,
    outcomeId: true,
    workflowState: true,
  },
  fields: (t) => ({
    oid: t.exposeInt('oid', { description: 'The small integer that older interfaces know the assessment by.' }),
    name: t.exposeString('name', { description: 'Name or identifier, 1 to 200 characters.' }),
    companyName: t.exposeString('companyName', { nullable: true, description: 'Name of the company, up to 200 characters.' }),
    companyType: t.exposeString('companyType', { nullable: true, description: 'Type or category of company, up to 100 characters.' }),
    country: t.exposeString('country', { nullable: true, description: 'Country of operation, as the entity had it.' }),
    status: t.expose('status', { type: AssessmentStatus, description: 'How far it has come.' }),
    intakeMode: t.expose('intakeMode', { type: IntakeMode, description: 'How its data is collected.' }),
    progress: t.exposeFloat('progress', { description: 'Completion in percent, 0 to 100.' }),
    overallRiskScore: t.exposeFloat('overallRiskScore', {
      nullable: true,
      description: 'Mean risk score of the answers, 0 to 100 with one decimal. Null unless COMPLETE and something is answered.',
    }),
    overallRiskLevel: t.expose('overallRiskLevel', {
      type: RiskLevel,
      nullable: true,
      description: 'Class of the overall risk score; null with it.',
    }),
    organisation: t.field({ type: Organisation, description: 'The organisation it belongs to.', resolve: (_row, _args, { viewer }) => viewer.organisation }),
    entity: t.relation('entity', {
      description: 'What it is about.',
      resolve: (_query, row, _args, { loaders }) => loaders.of(OrganisationLoaders).entities.load(row.entityId),
    }),
    template: t.relation('template', {
      description: 'The template it was created from.',
      resolve: (_query, row, _args, { loaders }) => loaders.of(TemplateLoaders).templates.load(row.templateId),
    }),
    createdBy: t.relation('createdBy', {
      nullable: true,
      description: 'The person who created it, if the credential named one.',
      resolve: (_query, row, _args, { loaders }) => (row.createdById ? loaders.of(OrganisationLoaders).users.load(row.createdById) : null),
    }),
    outcome: t.relation('outcome', {
      nullable: true,
      description: 'What it comes to so far: the template’s first outcome until COMPLETE, then the one of its risk level.',
      resolve: (_query, row, _args, { loaders }) => (row.outcomeId ? loaders.of(TemplateLoaders).outcomes.load(row.outcomeId) : null),
    }),
    workflow: t.field({
      type: WorkflowInstance,
      description: 'The workflow that creating it started.',
      select: {
        workflowId: true,
        workflowState: true,
        workflowStep: true,
        workflowErrorType: true,
        workflowErrorMessage: true,
        workflowErrorStep: true,
        workflowErrorDetails: true,
      },
      resolve: (row) => ({
        id: row.workflowId,
        state: row.workflowState,
        currentStep: row.workflowStep,
        error:
          row.workflowErrorType === null
            ? null
            : {
                type: row.workflowErrorType,
                message: row.workflowErrorMessage ?? '',
                step: row.workflowErrorStep,
                details: jsonObject.nullable().parse(row.workflowErrorDetails),
              },
      }),
    }),
    sections: t.field({
      type: [AssessmentSection],
      description: 'Its sections with their questions and answers, in their order.',
      select: { sections: true },
      resolve: (row) => storedSections.parse(row.sections),
    }),
  }),
})

export const AlreadyExists = builder.objectRef<AlreadyExistsError<AssessmentRow>>('AlreadyExistsError').implement({
  description: 'The entity already has an open assessment of this template type: not COMPLETE, its workflow ACTIVE. Nothing was changed.',
  interfaces: [ErrorInterface],
  isTypeOf: (value) => value instanceof AlreadyExistsError,
  fields: (t) => ({ existing: t.expose('existing', { type: Assessment, description: 'The open assessment.' }) }),
})
