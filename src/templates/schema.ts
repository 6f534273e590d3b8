import { builder } from '../graphql/builder.js'
import { listPage } from '../graphql/connections.js'
import { orderInput } from '../graphql/order.js'
import { upToCharacters } from '../graphql/text-size.js'
import { Node } from '../graphql/nodes.js'
import { isUuid } from '../domain/validation.js'
import { visible } from './access.js'
import { planTemplates } from './lists.js'
import { type QuestionOption as QuestionOptionShape, type TemplateSection, templateSections } from './rules.js'

export const QuestionDifficulty = builder.enumType('QuestionDifficulty', {
  description: 'How hard a question is.',
  values: {
    EASY: { description: 'Answered from general knowledge.' },
    MEDIUM: { description: 'Needs knowledge of the topic.' },
    HARD: { description: 'Needs an expert of the topic.' },
  },
})

export const QuestionOption = builder.objectRef<QuestionOptionShape>('QuestionOption').implement({
  description: 'One possible answer to a question.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'What an answer names the option by; unique in its question.' }),
    label: t.exposeString('label', { description: 'The answer in words.' }),
    riskScore: t.exposeFloat('riskScore', { description: 'The risk that this answer stands for, from 0 (none) to 100.' }),
  }),
})

const Section = builder.objectRef<TemplateSection>('TemplateSection').implement({
  description: 'What one section of an assessment asks: so many questions of one topic and difficulty.',
  fields: (t) => ({
    title: t.exposeString('title', { description: 'The heading of the section.' }),
    topic: t.exposeString('topic', { description: 'The topic that its questions are drawn from.' }),
    difficulty: t.expose('difficulty', { type: QuestionDifficulty, description: 'How hard its questions are.' }),
    questionCount: t.exposeInt('questionCount', { description: 'How many questions are drawn from the bank.' }),
  }),
})

export const Outcome = builder.prismaObject('Outcome', {
  description: 'What an assessment can come to, as its template names it.',
  interfaces: [Node],
  select: { id: true },
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its name.' }),
  }),
})

export const AssessmentTemplate = builder.prismaObject('AssessmentTemplate', {
  description: 'What to ask, how the workflow runs and how long a pass is valid. Other systems call it assessment definition.',
  interfaces: [Node],
  select: { id: true },
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its name.' }),
    type: t.exposeString('type', { description: 'The kind of assessment; an entity has at most one open assessment of each type.' }),
    description: t.exposeString('description', { nullable: true, extensions: upToCharacters(10_000), description: 'What it is for.' }),
    validityDays: t.exposeInt('validityDays', {
      nullable: true,
      description: 'For how many days of 24 hours a passed record is valid; null: for ever.',
    }),
    sections: t.field({
      type: [Section],
      description: 'The sections in their order.',
      select: { sections: true },
      resolve: ({ sections }) => templateSections.parse(sections),
    }),
    workflowSteps: t.exposeStringList('workflowSteps', { description: 'The steps of the workflow in their order; at least one.' }),
    outcomes: t.relation('outcomes', {
      query: { orderBy: [{ position: 'asc' }, { id: 'asc' }] },
      description: 'What its assessments can come to; a new assessment has the first.',
    }),
  }),
})

const AssessmentTemplateConnection = builder.connectionObject(
  { type: AssessmentTemplate, name: 'AssessmentTemplateConnection', description: 'A page of templates.' },
  { name: 'AssessmentTemplateEdge', description: 'A template in its list.' },
)

const AssessmentTemplateFilter = builder.inputType('AssessmentTemplateFilter', {
  description: 'Which templates to list; all conditions given must hold.',
  fields: (t) => ({
    type: t.string({ description: 'Exactly this type.' }),
    search: t.string({ description: 'A part of the name, in any case.' }),
  }),
})

const AssessmentTemplateOrder = orderInput('AssessmentTemplate', 'templates', {
  CREATED_AT: { description: 'When it was added.' },
  NAME: { description: 'The name.' },
})

builder.queryFields((t) => ({
  assessmentTemplate: t.prismaField({
    type: AssessmentTemplate,
    nullable: true,
    description: 'One template.',
    args: { id: t.arg.id({ required: true, description: 'UUID of the template.' }) },
    resolve: (query, _root, { id }, { store, viewer }) =>
      isUuid(id) ? store.assessmentTemplate.findUnique({ ...query, where: { ...visible(viewer), id: id.toLowerCase() } }) : null,
  }),
  assessmentTemplates: t.connection(
    {
      type: AssessmentTemplate,
      description: 'The templates of the organisation, the newest first unless ordered otherwise.',
      args: {
        filter: t.arg({ type: AssessmentTemplateFilter, description: 'Which to list.' }),
        orderBy: t.arg({ type: [AssessmentTemplateOrder], description: 'In which order.' }),
      },
      resolve: (_root, args, context, info) =>
        listPage(context, info, context.store.assessmentTemplate, planTemplates(context.viewer, args)),
    },
    AssessmentTemplateConnection,
  ),
  outcome: t.prismaField({
    type: Outcome,
    nullable: true,
    description: 'One outcome.',
    args: { id: t.arg.id({ required: true, description: 'UUID of the outcome.' }) },
    resolve: (query, _root, { id }, { store, viewer }) =>
      isUuid(id) ? store.outcome.findUnique({ ...query, where: { ...visible(viewer), id: id.toLowerCase() } }) : null,
  }),
}))
