// How many SQL statements a document costs: the same for one row as for fifty, and no more than today.
import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { ask, tellExchangesOfFailedTests } from './exchanges.js'
import { db, statementsOf } from './gateway.js'
import { documentOf, enrolled, expecting } from './mutations.js'
import { anOrganisation, OPTIONS, type Story } from './story.js'

tellExchangesOfFailedTests()

/** Each of these rows has relations of its own, so that nothing is read once for many by chance. */
async function anOrganisationOf(rows: number): Promise<Story> {
  const org = await anOrganisation()
  for (let i = 0; i < rows; i += 1) {
    const user = await org.user({ name: `User ${i}` })
    const [template, entity, folder, scale] = [await org.template({ validityDays: 30 }), await org.entity(), await org.folder(), await org.scale()]
    const questions = [await org.question({ revision: 2 }), await org.question({ topic: `gone ${i}`, deleted: true }), await org.question({ topic: `gone ${i}` })]
    const [renewed = {}, replaced = {}] = questions.map(({ qid, text, topic, difficulty }) => ({
      id: randomUUID(), qid, revision: 1, text, topic, difficulty, options: OPTIONS, answerKey: 'some',
    }))
    await db.assessment.create({
      data: {
        organisationId: org.id,
        name: `Assessment ${i}`,
        entityId: entity.id,
        templateId: template.id,
        templateType: template.type,
        createdById: user.id,
        outcomeId: template.outcomes[0]?.id ?? null,
        workflowState: 'ACTIVE',
        workflowStep: 'collect',
        sections: [{ title: 'Risk', questions: [renewed, replaced] }],
        changedBy: 'system:test',
      },
    })
    const assessor = await org.user({ name: `Assessor ${i}` })
    await org.record({ userId: user.id, assessorId: assessor.id, assessmentDefinitionId: template.id, folderId: folder.id })
    const lineItem = await org.lineItem({ scoreScaleId: scale.id })
    await org.result({ assessmentLineItemSourcedId: lineItem.sourcedId, studentSourcedId: user.sourcedId, scoreScaleSourcedId: (await org.scale()).sourcedId })
  }
  return org
}

const HISTORY = 'history { totalCount nodes { version changedPaths actor changedAt } edges { cursor } pageInfo { hasNextPage } }'
const SECTIONS = 'sections { title questions { text options { key } answer { key } } }'

/** By what is asked: the statements that it costs, the look-up of the key among them, and the document. */
const budgets: Record<string, [statements: number, query: string]> = {
  'assessments -> template -> assessments -> entity': [
    4,
    `{ assessments(first: 50) { totalCount nodes { id template { name assessments { totalCount nodes { name entity { name } } } } } } }`,
  ],
  'assessments with every relation': [
    3,
    `{ assessments(first: 50) { edges { cursor node {
        id organisation { name } entity { name } template { name outcomes { name } sections { title } } createdBy { name } outcome { name }
        workflow { state error { type } } ${SECTIONS} ${HISTORY}
      } } pageInfo { endCursor } } }`,
  ],
  'assessments -> entity -> assessments -> template -> records -> user': [
    4,
    `{ assessments(first: 50) { nodes { entity { assessments(first: 2) { nodes { template { records(first: 2) { nodes { user { name } } } } } } } } } }`,
  ],
  'entities -> assessments -> sections, template and history': [
    5,
    `{ entities(first: 50) { totalCount nodes { name assessments { totalCount nodes { name ${SECTIONS} template { name outcomes { name } } ${HISTORY} } } } } }`,
  ],
  'entities -> assessments -> template -> assessments -> template -> outcomes': [
    4,
    `{ entities(first: 50) { nodes { assessments { nodes { template { assessments { nodes { template { outcomes { id } } } } } } } } } }`,
  ],
  'assessmentTemplates -> records -> user, assessor, folder and definition': [
    8,
    `{ assessmentTemplates(first: 50) { totalCount nodes { name outcomes { name } records { totalCount nodes {
        status isExpired user { name } assessor { name } folder { name } assessmentDefinition { name outcomes { name } records { totalCount } } ${HISTORY}
      } } } } }`,
  ],
  'assessmentTemplates -> assessments and records, twice under other names': [
    7,
    `{ assessmentTemplates(first: 50) { nodes {
        latest: assessments(first: 1) { nodes { name } } all: assessments { totalCount nodes { name ${SECTIONS} } }
        one: records(last: 1) { nodes { status } } records { nodes { status } }
      } } }`,
  ],
  'assessmentRecords with every relation': [
    6,
    `{ assessmentRecords(first: 50) { totalCount nodes {
        status user { name } assessor { name } folder { name } organisation { name } assessmentDefinition { name outcomes { name } assessments { totalCount } } ${HISTORY}
      } } }`,
  ],
  'assessmentLineItems -> results -> student and scale': [7,
    `{ assessmentLineItems(first: 50) { totalCount nodes { title scoreScale { title } results { totalCount nodes {
        score metadata comment learningObjectiveSet { source } student { name } scoreScale { title values { itemValueLHS } } ${HISTORY}
      } } } } }`,
  ],
  'assessmentResults -> line item -> results -> line item': [
    5,
    `{ assessmentResults(first: 50) { totalCount nodes { score student { name } scoreScale { title }
        assessmentLineItem { title scoreScale { title } results { nodes { student { name } assessmentLineItem { title } } } } ${HISTORY}
      } } }`,
  ],
  users: [2, `{ users(first: 50) { totalCount nodes { name } } }`],
  'five root fields': [
    5,
    `{ viewer { scopes } assessments(first: 50) { nodes { entity { name } } } assessmentRecords(first: 50) { nodes { user { name } } }
       assessmentResults(first: 50) { nodes { student { name } } } entities(first: 50) { nodes { name } } }`,
  ],
}

const ROWS = [1, 50]

/** Sends a document that must succeed: its answer, and how many statements it took. */
async function cost(org: Story, query: string, variables?: object) {
  let data: unknown
  const statements = await statementsOf(async () => {
    const answer = await ask(org.key, query, variables)
    expect(answer.errors).toBeUndefined()
    data = answer.data
  })
  return { data, statements }
}

/** How many different rows an answer holds, by their names or ids. */
function namesIn(data: unknown): number {
  return new Set(JSON.stringify(data).match(/"(name|id)":"[^"]*"/g)).size
}

describe('a query costs as many statements for 50 rows as for one', () => {
  const organisations = new Map<number, Promise<Story>>()
  const organisationOf = (rows: number) => {
    const known = organisations.get(rows) ?? anOrganisationOf(rows)
    organisations.set(rows, known)
    return known
  }

  test.each(Object.entries(budgets))('%s', async (_name, [budget, query]) => {
    for (const rows of ROWS) {
      const { data, statements } = await cost(await organisationOf(rows), query)
      expect({ rows, statements: statements.length }, statements.join('\n\n')).toEqual({ rows, statements: budget })
      expect(namesIn(data), 'each row must have relations of its own').toBeGreaterThanOrEqual(rows)
    }
  })
})

const ASSESSMENT = `{
  id version name ${SECTIONS} entity { name assessments { totalCount nodes { name template { name outcomes { name } } } } }
  template { name outcomes { name } records { nodes { user { name } } } } createdBy { name } outcome { name } ${HISTORY}
}`

describe('a mutation costs as many statements for 50 rows as for one', () => {
  const REFRESH = `mutation ($expectedVersions: [ExpectedVersionInput!]) {
    refreshAssessments(expectedVersions: $expectedVersions) { ... on RefreshAssessmentsSuccess { details {
      status refreshedQids replacements { newQid } assessment ${ASSESSMENT}
      conflict { changedPaths current { ... on Assessment ${ASSESSMENT} } }
    } } }
  }`

  test('refreshAssessments, with all that hangs on each assessment', async () => {
    for (const rows of ROWS) {
      const org = await anOrganisationOf(rows)
      const { data, statements } = await cost(org, REFRESH)
      expect({ rows, statements: statements.length }, statements.join('\n\n')).toEqual({ rows, statements: 14 })
      const { details } = z.object({ refreshAssessments: z.object({ details: z.array(z.looseObject({ status: z.string() })) }) }).parse(data).refreshAssessments
      expect(details.map(({ status }) => status)).toEqual(Array(rows).fill('UPDATED'))
    }
  })

  test('refreshAssessments in which every assessment is a conflict, with all that hangs on its current row', async () => {
    for (const rows of ROWS) {
      const org = await anOrganisationOf(rows)
      const all = await db.assessment.findMany({ where: { organisationId: org.id }, select: { id: true } })
      const { data, statements } = await cost(org, REFRESH, { expectedVersions: all.map(({ id }) => ({ id, expectedVersion: 0 })) })
      expect({ rows, statements: statements.length }, statements.join('\n\n')).toEqual({ rows, statements: 21 })
      const { details } = z.object({ refreshAssessments: z.object({ details: z.array(z.looseObject({ status: z.string() })) }) }).parse(data).refreshAssessments
      expect(details.map(({ status }) => status)).toEqual(Array(rows).fill('CONFLICT'))
    }
  })

  test('a conflict, with all that hangs on its current row and on the rows beside it', async () => {
    for (const rows of ROWS) {
      const org = await anOrganisation()
      const { id, entityId } = await org.assessment()
      for (let i = 1; i < rows; i += 1) await org.assessment({ entityId })
      // What was changed since is not all of the row's history, which is read by itself then.
      await org.request('mutation ($id: ID!) { updateAssessment(id: $id, input: { progress: 1 }) { __typename } }', { id })
      const { data, statements } = await cost(
        org,
        `mutation ($id: ID!) { updateAssessment(id: $id, expectedVersion: 1, input: {}) { ... on ConflictError { changedPaths current { ... on Assessment {
          entity { assessments(first: 50) { nodes ${ASSESSMENT} } }
        } } } } }`,
        { id },
      )
      expect({ rows, statements: statements.length }, statements.join('\n\n')).toEqual({ rows, statements: 10 })
      expect(namesIn(data)).toBeGreaterThanOrEqual(rows)
    }
  })
})

describe('a mutation reads what its answer shows, and nothing twice', () => {
  const LEAN = `mutation ($id: ID!) { updateAssessment(id: $id, expectedVersion: 1, input: { progress: 50 }) {
    ... on UpdateAssessmentSuccess { assessment { version progress } } ... on ConflictError { actualVersion current { id } }
  } }`

  test('of one row alone the key and the change, and of a conflict the row, but not even its paths', async () => {
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const success = await cost(org, LEAN, { id })
    expect(success.data).toEqual({ updateAssessment: { assessment: { version: 2, progress: 50 } } })
    const update: unknown = expect.stringMatching(/^UPDATE .*"Assessment" SET/)
    expect(success.statements).toEqual([expect.anything(), update])
    const conflict = await cost(org, LEAN, { id })
    expect(conflict.data).toEqual({ updateAssessment: { actualVersion: 2, current: { id } } })
    expect(conflict.statements).toEqual([expect.anything(), update, expect.stringMatching(/^SELECT "Assessment"."id"/)])
  })

  /** By mutation: what it costs when it succeeds, and when it meets a conflict or another row. */
  const costs: Record<string, [success: number, conflict: number]> = {
    createAssessment: [9, 10],
    updateAssessment: [7, 6],
    answerAssessmentQuestions: [7, 6],
    updateAssessmentRecord: [9, 7],
    putAssessmentResult: [10, 9],
  }

  test.each(Object.entries(costs))('%s', async (mutation, [success, conflict]) => {
    const it = enrolled.find((one) => one.mutation === mutation && (one.does === 'changes' || mutation === 'createAssessment'))
    if (!it) throw new Error(`${mutation} is not enrolled.`)
    const org = await anOrganisation()
    const { args } = await it.arrange(org)
    // Twice: once it succeeds, then the version has moved on, or the place is taken.
    for (const [expected, typename] of [[success, 'Success'], [conflict, 'Error']] as const) {
      const { data, statements } = await cost(org, documentOf(it), expecting(it, args, 1))
      expect(JSON.stringify(data)).toMatch(new RegExp(`^{"${mutation}":{"__typename":"\\w+${typename}"`))
      expect({ typename, statements: statements.length }, statements.join('\n\n')).toEqual({ typename, statements: expected })
    }
  })
})
