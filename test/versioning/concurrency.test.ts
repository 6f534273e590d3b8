// What holds when many write at the same time. Requests are sent together; on PostgreSQL 20
// connections carry them, on the embedded database they queue for one.
import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { database, db } from '../gateway.js'
import { anOrganisation, type Story } from '../story.js'

const ROUNDS = database.embedded ? 2 : 20
/** For a race in which everybody wins in the end, which takes many attempts. */
const LONG_ROUNDS = ROUNDS / 2
const MANY = 50

/** Runs a race in a new organisation, again and again; afterwards no history may have a gap. */
async function rounds(race: (org: Story) => Promise<void>, count = ROUNDS): Promise<void> {
  for (let round = 0; round < count; round++) {
    const org = await anOrganisation()
    await race(org)
    await expectUnbrokenHistories(org)
  }
}

/** The answers of `count` requests that are under way together. */
function together<Result>(count: number, send: (index: number) => Promise<Result>): Promise<Result[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => send(index)))
}

/** `first`, `first + 1`, ..., `last`. */
const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index)

/** Every version of every row has exactly one revision. */
async function expectUnbrokenHistories(org: Story): Promise<void> {
  const where = { organisationId: org.id }
  const [assessments, records, results, revisions] = await Promise.all([
    db.assessment.findMany({ where }),
    db.assessmentRecord.findMany({ where }),
    db.assessmentResult.findMany({ where }),
    db.revision.findMany({ where, orderBy: { version: 'asc' } }),
  ])
  const rows = [...assessments, ...records, ...results]
  expect(rows.length).toBeGreaterThan(0)
  for (const { id, version } of rows) {
    const own = revisions.filter((it) => [it.assessmentId, it.assessmentRecordId, it.assessmentResultId].includes(id))
    expect(own.map((it) => it.version)).toEqual(range(1, version))
  }
}

const ascending = (numbers: number[]) => [...numbers].sort((a, b) => a - b)

/* ---- the mutations ----------------------------------------------------------------------------- */

const alreadyExists = z.object({ __typename: z.literal('AlreadyExistsError'), existing: z.object({ id: z.string() }) })
const invalid = z.object({ __typename: z.literal('ValidationError'), issues: z.array(z.object({ code: z.string() })) })

const UPDATE = `mutation ($id: ID!, $expectedVersion: Int, $input: UpdateAssessmentInput!) {
  updateAssessment(id: $id, expectedVersion: $expectedVersion, input: $input) {
    __typename
    ... on UpdateAssessmentSuccess { assessment { id version name status } }
    ... on ConflictError { actualVersion changedPaths current { ... on Assessment { id version name } } }
    ... on AlreadyExistsError { existing { id } }
  }
}`
const updated = z.object({
  updateAssessment: z.discriminatedUnion('__typename', [
    z.object({
      __typename: z.literal('UpdateAssessmentSuccess'),
      assessment: z.object({ id: z.string(), version: z.number(), name: z.string(), status: z.string() }),
    }),
    z.object({
      __typename: z.literal('ConflictError'),
      actualVersion: z.number(),
      changedPaths: z.array(z.string()),
      current: z.object({ id: z.string(), version: z.number(), name: z.string() }),
    }),
    alreadyExists,
  ]),
})

async function update(org: Story, id: string, input: object, expectedVersion?: number) {
  return (await org.dataOf(updated, UPDATE, { id, input, expectedVersion })).updateAssessment
}

const CREATE = `mutation ($input: CreateAssessmentInput!) {
  createAssessment(input: $input) {
    __typename
    ... on CreateAssessmentSuccess { assessment { id version } }
    ... on AlreadyExistsError { existing { id } }
  }
}`
const created = z.object({
  createAssessment: z.discriminatedUnion('__typename', [
    z.object({ __typename: z.literal('CreateAssessmentSuccess'), assessment: z.object({ id: z.string(), version: z.literal(1) }) }),
    alreadyExists,
  ]),
})

async function create(org: Story, input: { entityId: string; templateId: string }) {
  return (await org.dataOf(created, CREATE, { input })).createAssessment
}

const ANSWER = `mutation ($id: ID!, $answers: [AnswerInput!]!) {
  answerAssessmentQuestions(id: $id, answers: $answers) {
    __typename
    ... on AnswerAssessmentQuestionsSuccess { assessment { version } }
    ... on ValidationError { issues { code } }
  }
}`
const answered = z.object({
  answerAssessmentQuestions: z.discriminatedUnion('__typename', [
    z.object({ __typename: z.literal('AnswerAssessmentQuestionsSuccess'), assessment: z.object({ version: z.number() }) }),
    invalid,
  ]),
})

async function answer(org: Story, id: string, questionId: string | undefined, optionKey: string) {
  return (await org.dataOf(answered, ANSWER, { id, answers: [{ questionId, optionKey }] })).answerAssessmentQuestions
}

const REFRESH = `mutation ($assessmentIds: [ID!]) {
  refreshAssessments(assessmentIds: $assessmentIds) {
    ... on RefreshAssessmentsSuccess { details { status assessment { id } } }
  }
}`
const refreshed = z.object({
  refreshAssessments: z.object({ details: z.array(z.object({ status: z.string(), assessment: z.object({ id: z.string() }) })) }),
})

async function refresh(org: Story, assessmentIds?: string[]) {
  return (await org.dataOf(refreshed, REFRESH, { assessmentIds })).refreshAssessments.details
}

const UPDATE_RECORD = `mutation ($id: ID!, $input: UpdateAssessmentRecordInput!) {
  updateAssessmentRecord(id: $id, input: $input) {
    __typename
    ... on UpdateAssessmentRecordSuccess { assessmentRecord { version } }
    ... on ValidationError { issues { code } }
  }
}`
const recordUpdated = z.object({
  updateAssessmentRecord: z.discriminatedUnion('__typename', [
    z.object({ __typename: z.literal('UpdateAssessmentRecordSuccess'), assessmentRecord: z.object({ version: z.number() }) }),
    invalid,
  ]),
})

async function updateRecord(org: Story, id: string, input: object) {
  return (await org.dataOf(recordUpdated, UPDATE_RECORD, { id, input })).updateAssessmentRecord
}

const PUT = `mutation ($sourcedId: ID!, $expectedVersion: Int, $input: PutAssessmentResultInput!) {
  putAssessmentResult(sourcedId: $sourcedId, expectedVersion: $expectedVersion, input: $input) {
    __typename
    ... on PutAssessmentResultSuccess { created assessmentResult { version comment } }
    ... on ConflictError { actualVersion current { ... on AssessmentResult { comment } } }
  }
}`
const stored = z.object({ version: z.number(), comment: z.string() })
const put = z.object({
  putAssessmentResult: z.discriminatedUnion('__typename', [
    z.object({ __typename: z.literal('PutAssessmentResultSuccess'), created: z.boolean(), assessmentResult: stored }),
    z.object({ __typename: z.literal('ConflictError'), actualVersion: z.number(), current: z.object({ comment: z.string() }) }),
  ]),
})

/** Puts of one new result, each with a comment of its own. */
async function puts(org: Story, expectedVersion?: number) {
  const input = await org.resultInput()
  const sourcedId = randomUUID()
  const answers = await together(MANY, async (i) => {
    const variables = { sourcedId, expectedVersion, input: { ...input, comment: `Comment ${i}` } }
    return (await org.dataOf(put, PUT, variables)).putAssessmentResult
  })
  const row = await db.assessmentResult.findFirstOrThrow({ where: { organisationId: org.id, sourcedId } })
  return {
    row,
    successes: answers.filter((it) => it.__typename === 'PutAssessmentResultSuccess'),
    conflicts: answers.filter((it) => it.__typename === 'ConflictError'),
  }
}

/* ---- the races --------------------------------------------------------------------------------- */

describe(`${MANY} updates of one assessment`, () => {
  it('that expect the same version: one succeeds, the others conflict with it', () =>
    rounds(async (org) => {
      const { id } = await org.assessment()

      const answers = await together(MANY, (i) => update(org, id, { name: `Name ${i}` }, 1))

      const successes = answers.filter((it) => it.__typename === 'UpdateAssessmentSuccess')
      expect(successes.map(({ assessment }) => assessment.version)).toEqual([2])
      const name = successes[0]?.assessment.name
      const conflict = { __typename: 'ConflictError', actualVersion: 2, changedPaths: ['name'], current: { id, version: 2, name } }
      expect(answers.filter((it) => it.__typename === 'ConflictError')).toEqual(Array.from({ length: MANY - 1 }, () => conflict))
      expect(await db.assessment.findUniqueOrThrow({ where: { id } })).toMatchObject({ version: 2, name })
    }))

  it('that expect none all succeed, one after the other, each answered as it was written', () =>
    rounds(async (org) => {
      const { id } = await org.assessment()

      const answers = await together(MANY, async (i) => {
        const name = `Name ${i}`
        const answer = await update(org, id, { name })
        expect(answer).toMatchObject({ __typename: 'UpdateAssessmentSuccess', assessment: { name } })
        return answer
      })

      const written = answers.flatMap((it) => (it.__typename === 'UpdateAssessmentSuccess' ? [it.assessment] : []))
      expect(ascending(written.map(({ version }) => version))).toEqual(range(2, MANY + 1))
      const last = written.find(({ version }) => version === MANY + 1)
      expect(await db.assessment.findUniqueOrThrow({ where: { id } })).toMatchObject({ version: MANY + 1, name: last?.name })
    }, LONG_ROUNDS))
})

describe('the one open assessment of an entity and template type', () => {
  it(`is created once by ${MANY} at the same time, and the others are answered with it`, () =>
    rounds(async (org) => {
      await org.question()
      await org.question()
      const place = { entityId: (await org.entity()).id, templateId: (await org.template()).id }

      const answers = await together(MANY, () => create(org, place))

      const ids = answers.flatMap((it) => (it.__typename === 'CreateAssessmentSuccess' ? [it.assessment.id] : []))
      expect(ids).toHaveLength(1)
      expect(answers.flatMap((it) => (it.__typename === 'AlreadyExistsError' ? [it.existing.id] : []))).toEqual(
        Array.from({ length: MANY - 1 }, () => ids[0]),
      )
      expect(await db.assessment.count({ where: { organisationId: org.id } })).toBe(1)
    }))

  it('is reopened once when two COMPLETE ones are, and the other stays as it was', () =>
    rounds(async (org) => {
      const { id: first, entityId, templateId } = await org.assessment()
      await update(org, first, { status: 'COMPLETE' })
      const { id: second } = await org.assessment({ entityId, templateId })
      await update(org, second, { status: 'COMPLETE' })

      const ids = [first, second]
      const answers = await together(2, (i) => update(org, ids[i] ?? '', { status: 'DRAFT' }))

      const winner = answers.flatMap((it) => (it.__typename === 'UpdateAssessmentSuccess' ? [it.assessment.id] : []))
      expect(winner).toHaveLength(1)
      expect(answers.flatMap((it) => (it.__typename === 'AlreadyExistsError' ? [it.existing.id] : []))).toEqual(winner)
      const rows = await db.assessment.findMany({ where: { organisationId: org.id } })
      expect(rows.map(({ id, status, version }) => ({ id, status, version }))).toEqual(
        expect.arrayContaining(ids.map((id) => (winner.includes(id) ? { id, status: 'DRAFT', version: 3 } : { id, status: 'COMPLETE', version: 2 }))),
      )
    }))

  it('is either reopened or created', () =>
    rounds(async (org) => {
      const { id, entityId, templateId } = await org.assessment()
      await update(org, id, { status: 'COMPLETE' })

      const [reopened, made] = await Promise.all([update(org, id, { status: 'DRAFT' }), create(org, { entityId, templateId })])

      const open = await db.assessment.findMany({ where: { organisationId: org.id, status: 'DRAFT' } })
      const existing = open.map((row) => ({ __typename: 'AlreadyExistsError', existing: { id: row.id } }))
      if (reopened.__typename === 'UpdateAssessmentSuccess') expect([made]).toEqual(existing)
      else expect([reopened]).toEqual(existing)
      expect(open).toHaveLength(1)
    }))
})

describe(`${MANY} puts of one new result`, () => {
  it('that expect nothing: one creates it, the others replace it', () =>
    rounds(async (org) => {
      const { row, successes, conflicts } = await puts(org)
      expect(conflicts).toEqual([])
      expect(successes.filter((it) => it.created).map(({ assessmentResult }) => assessmentResult.version)).toEqual([1])
      expect(ascending(successes.map(({ assessmentResult }) => assessmentResult.version))).toEqual(range(1, MANY))
      const last = successes.find(({ assessmentResult }) => assessmentResult.version === MANY)
      expect(row).toMatchObject({ version: MANY, comment: last?.assessmentResult.comment })
    }, LONG_ROUNDS))

  it('that expect none to exist: one creates it, the others conflict with it', () =>
    rounds(async (org) => {
      const { row, successes, conflicts } = await puts(org, 0)
      expect(successes).toEqual([
        { __typename: 'PutAssessmentResultSuccess', created: true, assessmentResult: { version: 1, comment: row.comment } },
      ])
      const conflict = { __typename: 'ConflictError', actualVersion: 1, current: { comment: row.comment } }
      expect(conflicts).toEqual(Array.from({ length: MANY - 1 }, () => conflict))
      expect(row.version).toBe(1)
    }))
})

describe('a rule on the stored state', () => {
  it('keeps a PASSED record its date: whoever is first, the others are refused', () =>
    rounds(async (org) => {
      const { id } = await org.record({ assessmentDate: '2026-03-04T10:30:00.000Z' })

      // By turns, each order being as likely as the other.
      const inputs = [{ status: 'PASSED' }, { assessmentDate: null }]
      const answers = await together(20, (i) => updateRecord(org, id, inputs[i % 2] ?? {}))

      const row = await db.assessmentRecord.findUniqueOrThrow({ where: { id } })
      const winner = row.status === 'PASSED' ? 0 : 1
      expect(row).toMatchObject(
        winner === 0
          ? { assessmentDate: new Date('2026-03-04T10:30:00.000Z'), expiresAt: new Date('2027-03-04T10:30:00.000Z') }
          : { status: 'PENDING', assessmentDate: null, expiresAt: null },
      )
      const refused = { __typename: 'ValidationError', issues: [{ code: 'REQUIRED' }] }
      expect(answers.filter((_, i) => i % 2 !== winner)).toEqual(Array.from({ length: 10 }, () => refused))
      const versions = answers.flatMap((it) => (it.__typename === 'UpdateAssessmentRecordSuccess' ? [it.assessmentRecord.version] : []))
      expect(ascending(versions)).toEqual(range(2, 11))
    }))

  it('keeps a score that of its answers: an answer comes before COMPLETE or is refused', () =>
    rounds(async (org) => {
      const { id, sections } = await org.assessment()
      const question = sections[0]?.questions[0]?.id
      await answer(org, id, question, 'none')

      const keys = ['some', 'high', 'none']
      const [complete, ...answers] = await Promise.all([
        update(org, id, { status: 'COMPLETE' }),
        ...range(1, 12).map((i) => answer(org, id, question, keys[i % 3] ?? '')),
      ])

      const row = await db.assessment.findUniqueOrThrow({ where: { id } })
      const held = z.array(z.object({ questions: z.array(z.object({ id: z.string(), answerKey: z.string().nullable() })) })).parse(row.sections)
      const key = held[0]?.questions.find((it) => it.id === question)?.answerKey
      expect(row).toMatchObject({ status: 'COMPLETE', overallRiskScore: { none: 0, some: 40, high: 90 }[key ?? ''] })
      const before = answers.flatMap((it) => (it.__typename === 'AnswerAssessmentQuestionsSuccess' ? [it.assessment.version] : []))
      const last = 3 + before.length
      expect(ascending(before)).toEqual(range(3, last - 1))
      expect(complete).toMatchObject({ assessment: { version: last } })
      expect(answers.filter((it) => it.__typename === 'ValidationError')).toEqual(
        Array.from({ length: 12 - before.length }, () => ({ __typename: 'ValidationError', issues: [{ code: 'WRONG_STATE' }] })),
      )
      expect(row.version).toBe(last)
    }))
})

describe('refreshes', () => {
  it('of the same assessments, with updates and answers between them, all succeed and renew each once', () =>
    rounds(async (org) => {
      const assessments = [await org.assessment()]
      for (let i = 0; i < 7; i++) assessments.push(await org.assessment({ templateId: assessments[0]?.templateId ?? '' }))
      const ids = assessments.map(({ id }) => id)
      await db.question.updateMany({ where: { organisationId: org.id }, data: { revision: 2, text: 'New' } })

      const [first, second, third, ...writes] = await Promise.all([
        refresh(org),
        refresh(org, [...ids].reverse()),
        refresh(org, ids),
        ...assessments.map(({ id, sections }) => answer(org, id, sections[0]?.questions[0]?.id, 'some')),
        ...ids.map((id) => update(org, id, { progress: 50 })),
      ])

      const details = [first, second, third].flat()
      expect(details).toHaveLength(3 * ids.length)
      const renewed = details.filter(({ status }) => status === 'UPDATED').map(({ assessment }) => assessment.id)
      expect([...renewed].sort()).toEqual([...ids].sort())
      expect(details.filter(({ status }) => status === 'UNCHANGED')).toHaveLength(2 * ids.length)
      expect(writes.map(({ __typename }) => __typename)).toEqual([
        ...ids.map(() => 'AnswerAssessmentQuestionsSuccess'),
        ...ids.map(() => 'UpdateAssessmentSuccess'),
      ])
      const rows = await db.assessment.findMany({ where: { organisationId: org.id } })
      for (const { version, progress, sections } of rows) {
        expect([version, progress]).toEqual([4, 50])
        expect(sections).toMatchObject([{ questions: [{ revision: 2, answerKey: 'some' }, { revision: 2, answerKey: null }] }])
      }
    }))
})
