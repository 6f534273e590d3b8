import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { db } from '../gateway.js'
import { anOrganisation, type Story } from '../story.js'

/* ---- the mutation, with everything that it can answer ------------------------------------------ */

const ASSESSMENT = `
  id version name companyName companyType country status intakeMode progress overallRiskScore overallRiskLevel
  outcome { name } workflow { state } sections { questions { id answer { key } } }
  history { nodes { version changedPaths } }`

const UPDATE = `mutation ($id: ID!, $expectedVersion: Int, $input: UpdateAssessmentInput!) {
  updateAssessment(id: $id, expectedVersion: $expectedVersion, input: $input) {
    __typename
    ... on UpdateAssessmentSuccess { assessment { ${ASSESSMENT} } }
    ... on AlreadyExistsError { existing { id version } }
    ... on ConflictError { expectedVersion actualVersion current { id version } changedPaths }
    ... on ValidationError { issues { path code } }
  }
}`

const assessment = z.looseObject({
  version: z.number(),
  overallRiskScore: z.number().nullable(),
  overallRiskLevel: z.string().nullable(),
  outcome: z.object({ name: z.string() }).nullable(),
  history: z.object({ nodes: z.array(z.object({ version: z.number(), changedPaths: z.array(z.string()) })) }),
})
const success = z.object({ updateAssessment: z.object({ __typename: z.literal('UpdateAssessmentSuccess'), assessment }) })
const failure = z.object({ updateAssessment: z.looseObject({ __typename: z.string().endsWith('Error') }) })

async function update(org: Story, id: string, input: object) {
  return (await org.dataOf(success, UPDATE, { id, input })).updateAssessment.assessment
}

async function refusal(org: Story, id: string, input: object) {
  return (await org.dataOf(failure, UPDATE, { id, input })).updateAssessment
}

async function stored(org: Story, id: string) {
  const query = `query ($id: ID!) { assessment(id: $id) { ${ASSESSMENT} } }`
  return (await org.dataOf(z.object({ assessment }), query, { id })).assessment
}

/** An assessment with one question for each risk score, all of them answered by it; null: not answered. */
async function scored(org: Story, riskScores: (number | null)[]) {
  for (const riskScore of riskScores) {
    await org.question({ options: [{ key: 'chosen', label: 'Chosen', riskScore: riskScore ?? 100 }, { key: 'other', label: 'Other', riskScore: 100 }] })
  }
  const template = await org.template({ sections: [{ title: 'Risk', topic: 'risk', difficulty: 'EASY', questionCount: riskScores.length }] })
  const made = await org.assessment({ templateId: template.id })
  const questions = made.sections.flatMap((section) => section.questions)
  const answers = riskScores.flatMap((riskScore, i) => (riskScore === null ? [] : [{ questionId: questions[i]?.id, optionKey: 'chosen' }]))
  const answered = `mutation ($id: ID!, $answers: [AnswerInput!]!) {
    answerAssessmentQuestions(id: $id, answers: $answers) { ... on AnswerAssessmentQuestionsSuccess { assessment { version } } }
  }`
  const versions = z.object({ answerAssessmentQuestions: z.object({ assessment: z.object({ version: z.literal(2) }) }) })
  await org.dataOf(versions, answered, { id: made.id, answers })
  return made
}

/* ---- tests ------------------------------------------------------------------------------------- */

describe('what is sent', () => {
  it.each([
    ['name', 'New name'],
    ['companyName', 'New company'],
    ['companyType', 'New type'],
    ['status', 'ANALYZING'],
    ['progress', 12.5],
  ])('changes alone: %s', async (field, value) => {
    const org = await anOrganisation()
    const { id } = await org.assessment()
    await update(org, id, { name: 'N', companyName: 'C', companyType: 'T', status: 'ACTION_REQUIRED', progress: 99 })
    const before = await stored(org, id)
    const after = await update(org, id, { [field]: value })
    const history = { nodes: [{ version: 3, changedPaths: [field] }, ...before.history.nodes] }
    expect(after).toEqual({ ...before, [field]: value, version: 3, history })
    expect(await stored(org, id)).toEqual(after)
  })

  it('changes together, as one version', async () => {
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const input = { name: 'N', companyName: 'C', companyType: 'T', status: 'ACTION_REQUIRED', progress: 100 }
    expect(await update(org, id, input)).toMatchObject({ ...input, version: 2 })
  })

  it('clears companyName and companyType when it is null', async () => {
    const org = await anOrganisation()
    const { id } = await org.assessment()
    expect(await update(org, id, { companyName: null, companyType: null })).toMatchObject({ companyName: null, companyType: null, version: 2 })
  })

  it('cannot be null for name, status and progress: all three are told together', async () => {
    const org = await anOrganisation()
    const { id } = await org.assessment()
    expect(await refusal(org, id, { name: null, companyName: null, status: null, progress: null })).toEqual({
      __typename: 'ValidationError',
      issues: ['name', 'status', 'progress'].map((field) => ({ path: ['input', field], code: 'NOT_NULLABLE' })),
    })
    expect(await stored(org, id)).toMatchObject({ version: 1, companyName: 'Acme Coffee' })
  })
})

describe('a text', () => {
  // 🫘 is one code point of two UTF-16 units and four bytes.
  it.each([
    ['name', 1],
    ['name', 200],
    ['companyName', 0],
    ['companyName', 200],
    ['companyType', 0],
    ['companyType', 100],
  ])('counts code points: %s can have %d', async (field, length) => {
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const value = '🫘'.repeat(length)
    expect(await update(org, id, { [field]: value })).toMatchObject({ [field]: value, version: 2 })
  })

  it('is refused beyond its bounds, with every other field that is', async () => {
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const input = { name: '🫘'.repeat(201), companyName: '🫘'.repeat(201), companyType: '🫘'.repeat(101), progress: 101 }
    expect(await refusal(org, id, input)).toEqual({
      __typename: 'ValidationError',
      issues: [
        { path: ['input', 'name'], code: 'TOO_LONG' },
        { path: ['input', 'companyName'], code: 'TOO_LONG' },
        { path: ['input', 'companyType'], code: 'TOO_LONG' },
        { path: ['input', 'progress'], code: 'OUT_OF_RANGE' },
      ],
    })
    expect(await refusal(org, id, { name: '' })).toMatchObject({ issues: [{ path: ['input', 'name'], code: 'TOO_SHORT' }] })
    expect(await refusal(org, id, { name: ' ' })).toMatchObject({ issues: [{ path: ['input', 'name'], code: 'TOO_SHORT' }] })
    expect(await stored(org, id)).toMatchObject({ version: 1 })
  })

  it.each(['name', 'companyName', 'companyType'])('holds no U+0000: %s', async (field) => {
    const org = await anOrganisation()
    const { id } = await org.assessment()
    expect(await refusal(org, id, { [field]: 'a\u0000' })).toMatchObject({ issues: [{ path: ['input', field], code: 'INVALID_FORMAT' }] })
  })
})

describe('progress', () => {
  it.each([0, 0.1, 99.9, 100])('can be %d', async (progress) => {
    const org = await anOrganisation()
    const { id } = await org.assessment()
    expect(await update(org, id, { progress })).toMatchObject({ progress })
  })

  it.each([-0.1, 100.1])('cannot be %d', async (progress) => {
    const org = await anOrganisation()
    const { id } = await org.assessment()
    expect(await refusal(org, id, { progress })).toEqual({
      __typename: 'ValidationError',
      issues: [{ path: ['input', 'progress'], code: 'OUT_OF_RANGE' }],
    })
    expect(await stored(org, id)).toMatchObject({ version: 1, progress: 0 })
  })
})

describe('status', () => {
  const STATUSES = ['DRAFT', 'ANALYZING', 'ACTION_REQUIRED', 'COMPLETE']

  it('may follow any other, and itself', async () => {
    const org = await anOrganisation()
    const { id } = await org.assessment()
    let version = 1
    for (const from of STATUSES) {
      for (const to of STATUSES) {
        await update(org, id, { status: from })
        expect(await update(org, id, { status: to })).toMatchObject({ status: to, version: (version += 2) })
      }
    }
  })
})

describe('becoming COMPLETE', () => {
  it.each([
    { riskScores: [0], score: 0, level: 'LOW', outcome: 'Fine' },
    { riskScores: [24.9], score: 24.9, level: 'LOW', outcome: 'Fine' },
    { riskScores: [25], score: 25, level: 'MODERATE', outcome: 'Open' },
    { riskScores: [49.9], score: 49.9, level: 'MODERATE', outcome: 'Open' },
    { riskScores: [50], score: 50, level: 'HIGH', outcome: 'Open' },
    { riskScores: [74.9], score: 74.9, level: 'HIGH', outcome: 'Open' },
    { riskScores: [75], score: 75, level: 'CRITICAL', outcome: 'Bad' },
    { riskScores: [100, 100], score: 100, level: 'CRITICAL', outcome: 'Bad' },
    // the mean, of what is answered alone
    { riskScores: [0, 0, 50], score: 16.7, level: 'LOW', outcome: 'Fine' },
    { riskScores: [10, 20, 25], score: 18.3, level: 'LOW', outcome: 'Fine' },
    { riskScores: [null, 40, null, 90], score: 65, level: 'HIGH', outcome: 'Open' },
    // the level of the rounded score
    { riskScores: [24.94], score: 24.9, level: 'LOW', outcome: 'Fine' },
    { riskScores: [24.95], score: 25, level: 'MODERATE', outcome: 'Open' },
    { riskScores: [49.96, 49.96], score: 50, level: 'HIGH', outcome: 'Open' },
    { riskScores: [74.94], score: 74.9, level: 'HIGH', outcome: 'Open' },
    { riskScores: [74.96], score: 75, level: 'CRITICAL', outcome: 'Bad' },
    // half a tenth goes up, although a sum of binary fractions can fall just below it
    { riskScores: [85.6, 7.1], score: 46.4, level: 'MODERATE', outcome: 'Open' },
  ])('scores $riskScores as $score, $level, outcome $outcome', async ({ riskScores, score, level, outcome }) => {
    const org = await anOrganisation()
    const { id } = await scored(org, riskScores)
    const complete = await update(org, id, { status: 'COMPLETE' })
    expect(complete).toMatchObject({
      status: 'COMPLETE',
      version: 3,
      overallRiskScore: score,
      overallRiskLevel: level,
      outcome: { name: outcome },
      progress: 0,
    })
    expect(complete.history.nodes[0]).toEqual({
      version: 3,
      changedPaths: ['status', 'overallRiskScore', 'overallRiskLevel', ...(outcome === 'Open' ? [] : ['outcome'])],
    })
    expect(await stored(org, id)).toEqual(complete)
  })

  it('leaves score, level and outcome as they are when nothing is answered', async () => {
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const complete = await update(org, id, { status: 'COMPLETE' })
    expect(complete).toMatchObject({ status: 'COMPLETE', overallRiskScore: null, overallRiskLevel: null, outcome: { name: 'Open' } })
    expect(complete.history.nodes[0]?.changedPaths).toEqual(['status'])
  })

  it('leaves them so too when there is no question, the workflow being in ERROR', async () => {
    const org = await anOrganisation()
    const { id } = await org.assessment({ templateId: (await org.template()).id })
    expect(await update(org, id, { status: 'COMPLETE' })).toMatchObject({
      workflow: { state: 'ERROR' },
      overallRiskScore: null,
      outcome: { name: 'Open' },
    })
  })

  it('happens once: a COMPLETE assessment keeps its score through later changes', async () => {
    const org = await anOrganisation()
    const { id } = await scored(org, [10])
    await update(org, id, { status: 'COMPLETE' })
    for (const input of [{ status: 'COMPLETE' }, { name: 'Other' }, {}]) {
      expect(await update(org, id, input)).toMatchObject({ overallRiskScore: 10, overallRiskLevel: 'LOW', outcome: { name: 'Fine' } })
    }
  })
})

describe('leaving COMPLETE', () => {
  it.each(['DRAFT', 'ANALYZING', 'ACTION_REQUIRED'])('for %s clears score and level and restores the first outcome', async (status) => {
    const org = await anOrganisation()
    const { id } = await scored(org, [90, 90])
    await update(org, id, { status: 'COMPLETE' })
    const reopened = await update(org, id, { status })
    expect(reopened).toMatchObject({ status, version: 4, overallRiskScore: null, overallRiskLevel: null, outcome: { name: 'Open' } })
    expect(reopened.history.nodes[0]?.changedPaths).toEqual(['status', 'overallRiskScore', 'overallRiskLevel', 'outcome'])
    expect(await update(org, id, { status: 'COMPLETE' })).toMatchObject({ overallRiskScore: 90, outcome: { name: 'Bad' } })
  })

  it('is refused, whole, while another assessment of the entity and template type is open', async () => {
    const org = await anOrganisation()
    const first = await scored(org, [90, 90])
    await update(org, first.id, { status: 'COMPLETE' })
    const before = await stored(org, first.id)
    const second = await org.assessment({ entityId: first.entityId, templateId: first.templateId })

    expect(await refusal(org, first.id, { status: 'DRAFT', name: 'Reopened' })).toEqual({
      __typename: 'AlreadyExistsError',
      existing: { id: second.id, version: 1 },
    })
    expect(await stored(org, first.id)).toEqual(before)
    expect(await stored(org, second.id)).toMatchObject({ version: 1, status: 'DRAFT' })

    await update(org, second.id, { status: 'COMPLETE' })
    expect(await update(org, first.id, { status: 'DRAFT' })).toMatchObject({ status: 'DRAFT', version: 4 })
  })

  it('is refused for another template of the same type too, and allowed for another type or entity', async () => {
    const org = await anOrganisation()
    const first = await org.assessment()
    await update(org, first.id, { status: 'COMPLETE' })
    await org.assessment({ entityId: first.entityId })
    await org.assessment({ templateId: first.templateId })
    expect(await update(org, first.id, { status: 'DRAFT' })).toMatchObject({ status: 'DRAFT' })
    await update(org, first.id, { status: 'COMPLETE' })
    const { type } = await db.assessmentTemplate.findUniqueOrThrow({ where: { id: first.templateId } })
    const twin = await org.assessment({ entityId: first.entityId, templateId: (await org.template({ type })).id })
    expect(await refusal(org, first.id, { status: 'DRAFT' })).toMatchObject({ existing: { id: twin.id } })
  })

  it('is not in the way of, nor hindered by, an assessment in ERROR', async () => {
    const org = await anOrganisation()
    const template = await org.template()
    const broken = await org.assessment({ templateId: template.id })
    await org.question()
    await org.question()
    const whole = await org.assessment({ templateId: template.id, entityId: broken.entityId })
    await update(org, broken.id, { status: 'COMPLETE' })
    expect(await update(org, broken.id, { status: 'DRAFT' })).toMatchObject({ status: 'DRAFT', workflow: { state: 'ERROR' } })
    await update(org, whole.id, { status: 'COMPLETE' })
    expect(await update(org, whole.id, { status: 'DRAFT' })).toMatchObject({ status: 'DRAFT', workflow: { state: 'ACTIVE' } })
  })
})

describe('an expected version', () => {
  it('comes before what the stored row says against the change', async () => {
    const org = await anOrganisation()
    const first = await org.assessment()
    await update(org, first.id, { status: 'COMPLETE' })
    await org.assessment({ entityId: first.entityId, templateId: first.templateId })
    const answer = await org.dataOf(failure, UPDATE, { id: first.id, expectedVersion: 1, input: { status: 'DRAFT' } })
    expect(answer.updateAssessment).toEqual({
      __typename: 'ConflictError',
      expectedVersion: 1,
      actualVersion: 2,
      current: { id: first.id, version: 2 },
      changedPaths: ['status'],
    })
  })
})
