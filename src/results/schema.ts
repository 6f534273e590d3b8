import { builder } from '../graphql/builder.js'
import { OrganisationLoaders } from '../organisations/loaders.js'
import { ResultLoaders } from './loaders.js'
import { User } from '../organisations/schema.js'
import { jsonObject } from '../domain/json.js'
import { Node } from '../graphql/nodes.js'
import { upToCharacters } from '../graphql/text-size.js'
import { Versioned } from '../versioning/schema.js'
import { type LearningObjectiveSet as LearningObjectiveSetShape, learningObjectiveSets, scoreScaleValue, scoreScaleValues } from './rules.js'
import type { z } from 'zod'

export const AssessmentResultStatus = builder.enumType('AssessmentResultStatus', {
  description: 'OneRoster’s status of a result.',
  values: {
    ACTIVE: { description: 'In use.' },
    TOBEDELETED: { description: 'Given up by the writing system; listed all the same unless filtered out.' },
  },
})

export const ScoreStatus = builder.enumType('ScoreStatus', {
  description: 'OneRoster’s status of a score.',
  values: {
    EXEMPT: { description: 'The student does not have to be scored.' },
    FULLY_GRADED: { description: 'Scored for good.' },
    NOT_SUBMITTED: { description: 'Nothing was handed in.' },
    PARTIALLY_GRADED: { description: 'Scored in part.' },
    SUBMITTED: { description: 'Handed in, not scored yet.' },
  },
})

const ScoreScaleValue = builder.objectRef<z.output<typeof scoreScaleValue>>('ScoreScaleValue').implement({
  description: 'One grade of a score scale.',
  fields: (t) => ({
    itemValueLHS: t.exposeString('itemValueLHS', { description: 'The grade as textScore names it, e.g. `A`.' }),
    itemValueRHS: t.exposeString('itemValueRHS', { description: 'What the grade stands for, e.g. `90-100`.' }),
  }),
})

export const ScoreScale = builder.prismaObject('ScoreScale', {
  description: 'The grades that a textScore can be.',
  interfaces: [Node],
  select: { id: true },
  fields: (t) => ({
    sourcedId: t.exposeID('sourcedId', { description: 'The writing system’s own id, unique in the organisation.' }),
    title: t.exposeString('title', { description: 'Its title.' }),
    type: t.exposeString('type', { description: 'The kind of scale, e.g. `letter`.' }),
    values: t.field({
      type: [ScoreScaleValue],
      description: 'Its grades in their order.',
      select: { values: true },
      resolve: ({ values }) => scoreScaleValues.parse(values),
    }),
  }),
})

export const AssessmentLineItem = builder.prismaObject('AssessmentLineItem', {
  description: 'What students are scored on.',
  interfaces: [Node],
  select: { id: true, scoreScaleId: true },
  fields: (t) => ({
    sourcedId: t.exposeID('sourcedId', { description: 'The writing system’s own id, unique in the organisation.' }),
    title: t.exposeString('title', { description: 'Its title.' }),
    description: t.exposeString('description', { nullable: true, extensions: upToCharacters(10_000), description: 'What is scored.' }),
    resultValueMin: t.exposeFloat('resultValueMin', { nullable: true, description: 'The lowest score it takes; null: no bound.' }),
    resultValueMax: t.exposeFloat('resultValueMax', { nullable: true, description: 'The highest score it takes; null: no bound.' }),
    scoreScale: t.field({
      type: ScoreScale,
      nullable: true,
      description: 'The grades that its textScores can be, unless a result names a scale of its own.',
      // Read once for all rows that have it, and not joined to each of them: it may be long.
      resolve: (row, _args, { loaders }) => (row.scoreScaleId ? loaders.of(ResultLoaders).scoreScales.load(row.scoreScaleId) : null),
    }),
  }),
})

const LearningObjectiveResult = builder
  .objectRef<LearningObjectiveSetShape['learningObjectiveResults'][number]>('LearningObjectiveResult')
  .implement({
    description: 'The score on one learning objective.',
    fields: (t) => ({
      learningObjectiveId: t.exposeString('learningObjectiveId', { description: 'The objective; a UUID when the source is "case".' }),
      score: t.exposeFloat('score', { nullable: true, description: 'The score as a number.' }),
      textScore: t.exposeString('textScore', { nullable: true, extensions: upToCharacters(65_536), description: 'The score as a text.' }),
    }),
  })

const LearningObjectiveSet = builder.objectRef<LearningObjectiveSetShape>('LearningObjectiveSet').implement({
  description: 'Scores on learning objectives from one source.',
  fields: (t) => ({
    source: t.exposeString('source', { description: 'Where the objectives are defined, e.g. `case`.' }),
    learningObjectiveResults: t.expose('learningObjectiveResults', {
      type: [LearningObjectiveResult],
      description: 'One score for each objective.',
    }),
  }),
})

export const AssessmentResult = builder.prismaObject('AssessmentResult', {
  description: 'A student’s score on a line item (OneRoster 1.2 gradebook).',
  interfaces: [Versioned, Node],
  authScopes: { scope: 'RESULTS_READ' },
  // Always read, whatever the document selects, because resolvers need these columns.
  select: {
    id: true,
    version: true,
    assessmentLineItemId: true,
    studentId: true,
    scoreScaleId: true,
  },
  fields: (t) => ({
    sourcedId: t.exposeID('sourcedId', { description: 'The writing system’s own id, 1 to 255 characters, unique in the organisation.' }),
    status: t.expose('status', { type: AssessmentResultStatus, description: 'Whether it is in use.' }),
    dateLastModified: t.expose('updatedAt', { type: 'DateTime', description: 'When it last changed, by this server.' }),
    metadata: t.field({
      type: 'JSONObject',
      nullable: true,
      extensions: upToCharacters(65_536),
      description: 'What the writing system keeps with it, up to 64 KiB of JSON.',
      select: { metadata: true },
      resolve: (row) => jsonObject.nullable().parse(row.metadata),
    }),
    assessmentLineItem: t.relation('assessmentLineItem', {
      description: 'What was scored.',
      resolve: (_query, row, _args, { loaders }) => loaders.of(ResultLoaders).lineItems.load(row.assessmentLineItemId),
    }),
    student: t.relation('student', {
      type: User,
      description: 'Whose score it is.',
      resolve: (_query, row, _args, { loaders }) => loaders.of(OrganisationLoaders).users.load(row.studentId),
    }),
    score: t.exposeFloat('score', { nullable: true, description: 'The score as a number, within the bounds of the line item.' }),
    textScore: t.exposeString('textScore', { nullable: true, extensions: upToCharacters(65_536), description: 'The score as a text: a grade of the score scale, where there is one.' }),
    scoreDate: t.expose('scoreDate', { type: 'DateTime', description: 'When it was scored.' }),
    scoreScale: t.field({
      type: ScoreScale,
      nullable: true,
      description: 'The scale of the textScore, if the result names one of its own.',
      // Read once for all rows that have it, and not joined to each of them: it may be long.
      resolve: (row, _args, { loaders }) => (row.scoreScaleId ? loaders.of(ResultLoaders).scoreScales.load(row.scoreScaleId) : null),
    }),
    scorePercentile: t.exposeFloat('scorePercentile', { nullable: true, description: 'The percentile of the score, 0 to 100.' }),
    scoreStatus: t.expose('scoreStatus', { type: ScoreStatus, description: 'How far scoring has come.' }),
    comment: t.exposeString('comment', { nullable: true, extensions: upToCharacters(65_536), description: 'What the scorer remarked, up to 65,536 characters.' }),
    learningObjectiveSet: t.field({
      type: [LearningObjectiveSet],
      description: 'Scores on learning objectives.',
      select: { learningObjectiveSet: true },
      resolve: (row) => learningObjectiveSets.parse(row.learningObjectiveSet),
    }),
    inProgress: t.exposeBoolean('inProgress', { nullable: true, description: 'Whether scoring is going on.' }),
    incomplete: t.exposeBoolean('incomplete', { nullable: true, description: 'Whether the work is incomplete.' }),
    late: t.exposeBoolean('late', { nullable: true, description: 'Whether the work came late.' }),
    missing: t.exposeBoolean('missing', { nullable: true, description: 'Whether the work is missing.' }),
  }),
})
