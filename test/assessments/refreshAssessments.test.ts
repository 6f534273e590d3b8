import { randomUUID } from 'node:crypto'
import pino from 'pino'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createServer } from '../../src/server/server.js'
import { database, db, dependencies, limits, logged, statementsOf } from '../gateway.js'
import { anOrganisation, OPTIONS, type Story } from '../story.js'

/* ---- the mutation, with everything that it can answer ------------------------------------------ */

const ASSESSMENT = `
  id oid version status
  sections { questions { id index qid revision text topic difficulty options { key label riskScore } answer { key label riskScore } } }
  history { nodes { version changedPaths } }`

const REFRESH = `mutation ($assessmentIds: [ID!], $expectedVersions: [ExpectedVersionInput!]) {
  refreshAssessments(assessmentIds: $assessmentIds, expectedVersions: $expectedVersions) {
    __typename
    ... on RefreshAssessmentsSuccess {
      message organisation { id companyId } assessmentsUpdated
      details {
        assessment { ${ASSESSMENT} }
        status totalQuestions questionsRefreshed refreshedQids
        deletedQuestionsReplaced replacements { oldQid newQid }
        deletedQuestionsNotReplaced replacementFailures { qid sectionIndex questionIndex reason }
        conflict { expectedVersion actualVersion changedPaths current { id version } }
      }
    }
    ... on ForbiddenError { ids requiredScope }
    ... on ValidationError { issues { path code } }
  }
}`

const option = z.object({ key: z.string(), label: z.string(), riskScore: z.number() })
const question = z.looseObject({ id: z.uuid(), qid: z.number(), text: z.string(), options: z.array(option), answer: option.nullable() })
const assessment = z.object({
  id: z.uuid(),
  oid: z.number(),
  version: z.number(),
  status: z.string(),
  sections: z.array(z.object({ questions: z.array(question) })),
  history: z.object({ nodes: z.array(z.object({ version: z.number(), changedPaths: z.array(z.string()) })) }),
})
const detail = z.looseObject({ assessment, status: z.string(), replacementFailures: z.array(z.looseObject({ reason: z.string() })) })
const success = z.object({
  refreshAssessments: z.looseObject({
    __typename: z.literal('RefreshAssessmentsSuccess'),
    message: z.string(),
    assessmentsUpdated: z.number(),
    details: z.array(detail),
  }),
})
const failure = z.object({ refreshAssessments: z.looseObject({ __typename: z.string().endsWith('Error') }) })

interface Arguments {
  assessmentIds?: (string | number)[] | null
  expectedVersions?: { id: string | number; expectedVersion: number }[] | null
}

async function refresh(org: Story, args: Arguments = {}) {
  return (await org.dataOf(success, REFRESH, args)).refreshAssessments
}

/** What became of the only assessment that is refreshed. */
async function refreshOne(org: Story, id: string) {
  const { details } = await refresh(org, { assessmentIds: [id] })
  const [only, ...others] = details
  if (!only || others.length > 0) throw new Error(`${details.length} assessments were refreshed.`)
  return only
}

async function refusal(org: Story, args: Arguments) {
  return (await org.dataOf(failure, REFRESH, args)).refreshAssessments
}

async function stored(org: Story, id: string) {
  const query = `query ($id: ID!) { assessment(id: $id) { ${ASSESSMENT} } }`
  return (await org.dataOf(z.object({ assessment }), query, { id })).assessment
}

const versionsOf = async (org: Story) =>
  (await db.assessment.findMany({ where: { organisationId: org.id }, orderBy: { oid: 'asc' } })).map(({ version }) => version)

/* ---- the bank ---------------------------------------------------------------------------------- */

function revise(qid: number, data: Parameters<typeof db.question.update>[0]['data']) {
  return db.question.update({ where: { qid }, data: { ...data, revision: { increment: 1 } } })
}

function remove(...qids: number[]) {
  return db.question.updateMany({ where: { qid: { in: qids } }, data: { deleted: true } })
}

/** Adds live, easy questions, stored in another order than by qid: their qids, ascending. */
async function spares(org: Story, count: number, topic = 'risk'): Promise<number[]> {
  const rows = await db.$queryRaw`SELECT nextval(pg_get_serial_sequence('"Question"', 'qid'))::int AS qid FROM generate_series(1, ${count}::int)`
  const qids = z.array(z.object({ qid: z.number() })).parse(rows).map(({ qid }) => qid)
  for (const qid of [...qids].reverse()) await org.question({ qid, topic, text: `Spare ${qid}` })
  return qids
}

/** An open assessment of sections with that many questions, all of the pool "risk", EASY. */
async function anAssessment(org: Story, ...counts: number[]) {
  for (let i = 0; i < counts.reduce((sum, count) => sum + count, 0); i++) await org.question()
  const sections = counts.map((questionCount, i) => ({ title: `Section ${i}`, topic: 'risk', difficulty: 'EASY', questionCount }))
  const { id } = await org.assessment({ templateId: (await org.template({ sections })).id })
  const before = await stored(org, id)
  const qids = before.sections.flatMap(({ questions }) => questions.map(({ qid }) => qid))
  return { id, oid: before.oid, before, qids, qid: (index: number) => qids[index] ?? 0 }
}

/** Copies of an assessment, each of an entity of its own; their ids are in another order than their oids. */
async function copies(id: string, count: number): Promise<void> {
  await db.$executeRaw`
    WITH original AS (SELECT * FROM "Assessment" WHERE "id" = ${id}::uuid),
    entity AS (
      INSERT INTO "Entity" ("id", "organisationId", "sourcedId", "name")
      SELECT gen_random_uuid(), "organisationId", gen_random_uuid()::text, 'Copy' FROM original, generate_series(1, ${count}::int)
      RETURNING "id"
    )
    INSERT INTO "Assessment" ("id", "organisationId", "name", "entityId", "templateId", "templateType",
      "workflowId", "workflowState", "workflowStep", "sections", "changedBy")
    SELECT gen_random_uuid(), "organisationId", "name", entity."id", "templateId", "templateType",
      gen_random_uuid(), "workflowState", "workflowStep", "sections", "changedBy"
    FROM original, entity`
}

async function answer(org: Story, id: string, questionId: string | undefined, optionKey: string) {
  const mutation = `mutation ($id: ID!, $answers: [AnswerInput!]!) { answerAssessmentQuestions(id: $id, answers: $answers) { __typename } }`
  const done = z.object({ answerAssessmentQuestions: z.object({ __typename: z.literal('AnswerAssessmentQuestionsSuccess') }) })
  await org.dataOf(done, mutation, { id, answers: [{ questionId, optionKey }] })
}

async function complete(org: Story, id: string) {
  const mutation = 'mutation ($id: ID!) { updateAssessment(id: $id, input: { status: COMPLETE }) { __typename } }'
  await org.dataOf(z.object({ updateAssessment: z.object({ __typename: z.literal('UpdateAssessmentSuccess') }) }), mutation, { id })
}

/* ---- tests ------------------------------------------------------------------------------------- */

describe('a question that the bank has revised', () => {
  it('is renewed whole, in its place and under its id, as one version', async () => {
    const org = await anOrganisation()
    const { id, before, qids, qid } = await anAssessment(org, 1, 2)
    const options = [{ key: 'yes', label: 'Yes', riskScore: 1 }]
    await revise(qid(2), { text: 'How risky now?', topic: 'danger', difficulty: 'HARD', options })

    const only = await refreshOne(org, id)

    const [first, last] = before.sections
    const renewed = { ...last?.questions[1], revision: 2, text: 'How risky now?', topic: 'danger', difficulty: 'HARD', options }
    expect(only).toEqual({
      assessment: {
        ...before,
        version: 2,
        sections: [first, { questions: [last?.questions[0], renewed] }],
        history: {
          nodes: [
            {
              version: 2,
              changedPaths: ['revision', 'text', 'topic', 'difficulty', 'options'].map((field) => `sections.1.questions.1.${field}`),
            },
            ...before.history.nodes,
          ],
        },
      },
      status: 'UPDATED',
      totalQuestions: 3,
      questionsRefreshed: 1,
      refreshedQids: [qids[2]],
      deletedQuestionsReplaced: 0,
      replacements: [],
      deletedQuestionsNotReplaced: 0,
      replacementFailures: [],
      conflict: null,
    })
    expect(await stored(org, id)).toEqual(only.assessment)
  })

  it.each([
    {
      when: 'only the text is new',
      data: { text: 'New' },
      answered: { key: 'some', label: 'Some risk', riskScore: 40 },
      paths: ['revision', 'text'],
    },
    {
      when: 'another option is new',
      data: { options: [...OPTIONS.slice(0, 2), { key: 'high', label: 'Very high risk', riskScore: 95 }] },
      answered: { key: 'some', label: 'Some risk', riskScore: 40 },
      paths: ['revision', 'options'],
    },
    {
      when: 'the chosen option is new, which changes the answer',
      data: { options: [{ key: 'some', label: 'A little', riskScore: 30 }] },
      answered: { key: 'some', label: 'A little', riskScore: 30 },
      paths: ['revision', 'options', 'answer'],
    },
    {
      when: 'the chosen option is gone, which clears the answer',
      data: { options: [{ key: 'none', label: 'No risk', riskScore: 0 }] },
      answered: null,
      paths: ['revision', 'options', 'answer'],
    },
  ])('is shown with its answer: $when', async ({ data, answered, paths }) => {
    const org = await anOrganisation()
    const { id, before, qid } = await anAssessment(org, 2)
    await answer(org, id, before.sections[0]?.questions[1]?.id, 'some')
    await revise(qid(1), data)

    const { status, assessment: after } = await refreshOne(org, id)

    expect(status).toBe('UPDATED')
    expect(after.sections[0]?.questions[1]?.answer).toEqual(answered)
    expect(after.history.nodes[0]).toEqual({ version: 3, changedPaths: paths.map((field) => `sections.0.questions.1.${field}`) })
  })

  it('does not get its answer back when an option comes back that was gone', async () => {
    const org = await anOrganisation()
    const { id, before, qid } = await anAssessment(org, 1)
    await answer(org, id, before.sections[0]?.questions[0]?.id, 'some')
    await revise(qid(0), { options: OPTIONS.slice(0, 1) })
    await refreshOne(org, id)
    await revise(qid(0), { options: OPTIONS })
    const { assessment: after } = await refreshOne(org, id)
    expect(after.sections).toMatchObject([{ questions: [{ options: OPTIONS, answer: null }] }])
  })

  it('is renewed by its revision alone, and only once', async () => {
    const org = await anOrganisation()
    const { id, before, qid } = await anAssessment(org, 2)
    await db.question.update({ where: { qid: qid(0) }, data: { text: 'Not a revision' } })
    expect(await refreshOne(org, id)).toMatchObject({ status: 'UNCHANGED', assessment: before })
    await revise(qid(0), {})
    expect(await refreshOne(org, id)).toMatchObject({ status: 'UPDATED', refreshedQids: [qid(0)], assessment: { version: 2 } })
    expect(await refreshOne(org, id)).toMatchObject({ status: 'UNCHANGED', refreshedQids: [], assessment: { version: 2 } })
    expect((await stored(org, id)).history.nodes).toHaveLength(2)
  })
})

describe('a question that the bank has deleted', () => {
  it('is replaced in place by the lowest free qid of its topic and difficulty, under a new id and without its answer', async () => {
    const [org, other] = [await anOrganisation(), await anOrganisation()]
    const { id, before, qids, qid } = await anAssessment(org, 1, 2)
    await org.question({ topic: 'Risk' })
    await org.question({ difficulty: 'MEDIUM' })
    await org.question({ deleted: true })
    await other.question()
    const [lowest = 0] = await spares(org, 3)
    await answer(org, id, before.sections[1]?.questions[0]?.id, 'high')
    await remove(qid(1))

    const only = await refreshOne(org, id)

    const [first, last] = before.sections
    const replacement = only.assessment.sections[1]?.questions[0]
    expect(only.assessment.sections).toEqual([
      first,
      {
        questions: [
          { ...last?.questions[0], id: replacement?.id, qid: lowest, text: `Spare ${lowest}`, answer: null },
          last?.questions[1],
        ],
      },
    ])
    expect(before.sections.flatMap(({ questions }) => questions.map((it) => it.id))).not.toContain(replacement?.id)
    expect(only).toMatchObject({
      status: 'UPDATED',
      totalQuestions: 3,
      questionsRefreshed: 0,
      refreshedQids: [],
      deletedQuestionsReplaced: 1,
      replacements: [{ oldQid: qids[1], newQid: lowest }],
      deletedQuestionsNotReplaced: 0,
      replacementFailures: [],
    })
    expect(only.assessment.history.nodes[0]).toEqual({
      version: 3,
      changedPaths: ['id', 'qid', 'text', 'answer'].map((field) => `sections.1.questions.0.${field}`),
    })
    expect(await stored(org, id)).toEqual(only.assessment)
  })

  it('is the k-th of its pool and takes the k-th lowest free qid, also across sections', async () => {
    const org = await anOrganisation()
    const { id, qid } = await anAssessment(org, 2, 2)
    const [first = 0, second = 0, third = 0] = await spares(org, 4)
    await remove(qid(0), qid(1), qid(3))
    expect(await refreshOne(org, id)).toMatchObject({
      deletedQuestionsReplaced: 3,
      replacements: [
        { oldQid: qid(0), newQid: first },
        { oldQid: qid(1), newQid: second },
        { oldQid: qid(3), newQid: third },
      ],
      assessment: {
        version: 2,
        sections: [{ questions: [{ qid: first }, { qid: second }] }, { questions: [{ qid: qid(2) }, { qid: third }] }],
      },
    })
  })

  it('takes from its own pool, of several in one assessment', async () => {
    const org = await anOrganisation()
    const topics = ['one', 'two', 'three']
    for (const topic of topics) await org.question({ topic })
    const sections = topics.map((topic) => ({ title: topic, topic, difficulty: 'EASY', questionCount: 1 }))
    const { id } = await org.assessment({ templateId: (await org.template({ sections })).id })
    await db.question.updateMany({ where: { organisationId: org.id }, data: { deleted: true } })
    const lowest = []
    for (const topic of topics) lowest.push((await spares(org, 3, topic))[0])
    expect((await refreshOne(org, id)).assessment.sections.map(({ questions }) => questions.map(({ qid }) => qid))).toEqual(
      lowest.map((qid) => [qid]),
    )
  })

  it('takes a free qid that is lower than its own, and none that the assessment holds', async () => {
    const org = await anOrganisation()
    const low = await org.question({ deleted: true })
    const { id, qid } = await anAssessment(org, 2)
    await db.question.update({ where: { qid: low.qid }, data: { deleted: false } })
    await remove(qid(0))
    expect(await refreshOne(org, id)).toMatchObject({ replacements: [{ oldQid: qid(0), newQid: low.qid }] })
  })

  it('stays, answer included, and is told with its place and a reason when nothing is left to replace it', async () => {
    const org = await anOrganisation()
    const { id, qid, before } = await anAssessment(org, 1, 2)
    await answer(org, id, before.sections[1]?.questions[1]?.id, 'high')
    const answered = await stored(org, id)
    await org.question({ topic: 'another' })
    await remove(qid(2))

    const only = await refreshOne(org, id)

    expect(only).toMatchObject({
      status: 'UNCHANGED',
      totalQuestions: 3,
      deletedQuestionsReplaced: 0,
      deletedQuestionsNotReplaced: 1,
      replacementFailures: [{ qid: qid(2), sectionIndex: 1, questionIndex: 1 }],
    })
    expect(only.replacementFailures[0]?.reason).toMatch(/risk.*EASY/)
    expect(only.assessment).toEqual(answered)

    const [spare] = await spares(org, 1)
    expect(await refreshOne(org, id)).toMatchObject({ status: 'UPDATED', replacements: [{ oldQid: qid(2), newQid: spare }], replacementFailures: [] })
  })

  it('is one of many: renewed, replaced and failed ones make one version', async () => {
    const org = await anOrganisation()
    const { id, qid, before } = await anAssessment(org, 2, 3)
    for (const it of before.sections[1]?.questions ?? []) await answer(org, id, it.id, 'high')
    const [spare] = await spares(org, 1)
    await revise(qid(0), { text: 'New' })
    await revise(qid(4), { text: 'Newer' })
    await remove(qid(1), qid(3))
    const high = { key: 'high' }
    expect(await refreshOne(org, id)).toMatchObject({
      status: 'UPDATED',
      totalQuestions: 5,
      questionsRefreshed: 2,
      refreshedQids: [qid(0), qid(4)],
      deletedQuestionsReplaced: 1,
      replacements: [{ oldQid: qid(1), newQid: spare }],
      deletedQuestionsNotReplaced: 1,
      replacementFailures: [{ qid: qid(3), sectionIndex: 1, questionIndex: 1 }],
      assessment: {
        version: 5,
        sections: [
          { questions: [{ qid: qid(0), answer: null }, { qid: spare, answer: null }] },
          { questions: [{ qid: qid(2), answer: high }, { qid: qid(3), answer: high }, { qid: qid(4), answer: high }] },
        ],
      },
    })
  })
})

describe('which assessments are refreshed', () => {
  it.each([{}, { assessmentIds: null }, { assessmentIds: [] }])('all of the organisation, and no other, given %j', async (args) => {
    const [org, other] = [await anOrganisation(), await anOrganisation()]
    const [first, second] = [await anAssessment(org, 1), await anAssessment(org, 1)]
    await anAssessment(other, 1)
    const bank = { organisationId: { in: [org.id, other.id] } }
    await db.question.updateMany({ where: bank, data: { revision: 2 } })
    const { details } = await refresh(org, args)
    expect(details.map(({ assessment: { id }, status }) => [id, status])).toEqual([[first.id, 'UPDATED'], [second.id, 'UPDATED']])
    expect(await versionsOf(other)).toEqual([1])
  })

  it('those named by UUID in any case, by oid, or both, each once', async () => {
    const org = await anOrganisation()
    const [first, second, third] = [await anAssessment(org, 1), await anAssessment(org, 1), await anAssessment(org, 1)]
    await db.question.updateMany({ where: { organisationId: org.id }, data: { revision: 2 } })
    const { details } = await refresh(org, {
      assessmentIds: [second.id, first.oid, second.id.toUpperCase(), String(first.oid), `0${first.oid}`, first.id],
    })
    expect(details.map(({ assessment: { id, version }, status }) => [id, version, status])).toEqual([
      [first.id, 2, 'UPDATED'],
      [second.id, 2, 'UPDATED'],
    ])
    expect(await stored(org, third.id)).toEqual(third.before)
  })

  it('none when one is foreign or missing: exactly those are listed', async () => {
    const [org, other] = [await anOrganisation(), await anOrganisation()]
    const [own, foreign] = [await anAssessment(org, 1), await anAssessment(other, 1)]
    await db.question.updateMany({ where: { organisationId: { in: [org.id, other.id] } }, data: { revision: 2 } })
    const unknown = randomUUID()
    const missing = [foreign.id, String(foreign.oid), unknown, 'no uuid', '0', '99999999999999999999']
    expect(await refusal(org, { assessmentIds: [own.id, ...missing, own.oid, unknown] })).toEqual({
      __typename: 'ForbiddenError',
      ids: missing,
      requiredScope: null,
    })
    expect([await versionsOf(org), await versionsOf(other)]).toEqual([[1], [1]])
  })

  it('not the COMPLETE ones: they are SKIPPED as they were scored', async () => {
    const org = await anOrganisation()
    const { id, qid, before } = await anAssessment(org, 2)
    await answer(org, id, before.sections[0]?.questions[0]?.id, 'some')
    await complete(org, id)
    const scored = await stored(org, id)
    await revise(qid(0), { options: [{ key: 'some', label: 'Some', riskScore: 100 }] })
    await remove(qid(1))
    expect(await refreshOne(org, id)).toEqual({
      assessment: scored,
      status: 'SKIPPED',
      totalQuestions: 2,
      questionsRefreshed: 0,
      refreshedQids: [],
      deletedQuestionsReplaced: 0,
      replacements: [],
      deletedQuestionsNotReplaced: 0,
      replacementFailures: [],
      conflict: null,
    })
  })

  it('one in ERROR too, which holds no question', async () => {
    const org = await anOrganisation()
    const { id } = await org.assessment({ templateId: (await org.template()).id })
    expect(await refreshOne(org, id)).toMatchObject({ status: 'UNCHANGED', totalQuestions: 0, assessment: { version: 1 } })
  })
})

describe('the answer', () => {
  it('counts UPDATED and UNCHANGED, and lists everything ascending by oid', async () => {
    const org = await anOrganisation()
    const { id, qid } = await anAssessment(org, 1)
    await copies(id, 12)
    await revise(qid(0), { text: 'New' })
    const rows = await db.assessment.findMany({ where: { organisationId: org.id }, orderBy: { oid: 'asc' } })
    const [completed, ...others] = rows.map((row) => row.id)
    const [conflicting] = others
    if (!completed || !conflicting) throw new Error('There are 13 assessments.')
    await complete(org, completed)
    const untouched = await anAssessment(org, 1)

    const answered = await refresh(org, {
      assessmentIds: [untouched.id, ...rows.map((row) => row.id).reverse()],
      expectedVersions: [{ id: conflicting, expectedVersion: 7 }],
    })

    expect(answered).toMatchObject({ organisation: { id: org.id }, assessmentsUpdated: 12 })
    expect(answered.message).toContain('12 assessments')
    expect(answered.details.map(({ assessment: { oid } }) => oid)).toEqual([...rows.map(({ oid }) => oid), untouched.oid])
    expect(answered.details.map(({ status }) => status)).toEqual([
      'SKIPPED', 'CONFLICT', ...rows.slice(2).map(() => 'UPDATED'), 'UNCHANGED',
    ])
  })

  it('is empty for an organisation without assessments', async () => {
    const org = await anOrganisation()
    expect(await refresh(org)).toMatchObject({ assessmentsUpdated: 0, details: [] })
  })
})

describe('expected versions', () => {
  it('leave an assessment of another version alone, with its conflict, and the rest go on', async () => {
    const org = await anOrganisation()
    const [first, second, third] = [await anAssessment(org, 2), await anAssessment(org, 1), await anAssessment(org, 1)]
    await answer(org, first.id, first.before.sections[0]?.questions[1]?.id, 'high')
    await complete(org, first.id)
    await db.question.updateMany({ where: { organisationId: org.id }, data: { revision: 2 } })
    const before = await stored(org, first.id)

    const { details } = await refresh(org, {
      expectedVersions: [
        { id: second.id.toUpperCase(), expectedVersion: 1 },
        { id: first.oid, expectedVersion: 1 },
        { id: third.id, expectedVersion: 0 },
      ],
    })

    expect(details).toMatchObject([
      {
        status: 'CONFLICT',
        assessment: before,
        totalQuestions: 2,
        questionsRefreshed: 0,
        refreshedQids: [],
        conflict: {
          expectedVersion: 1,
          actualVersion: 3,
          current: { id: first.id, version: 3 },
          changedPaths: ['sections.0.questions.1.answer', 'status', 'overallRiskScore', 'overallRiskLevel', 'outcome'],
        },
      },
      { status: 'UPDATED', assessment: { id: second.id, version: 2 }, conflict: null },
      {
        status: 'CONFLICT',
        assessment: third.before,
        conflict: { expectedVersion: 0, actualVersion: 1, changedPaths: third.before.history.nodes[0]?.changedPaths },
      },
    ])
  })

  it('above the actual one are a conflict in which nothing has changed', async () => {
    const org = await anOrganisation()
    const { id } = await anAssessment(org, 1)
    const { details } = await refresh(org, { expectedVersions: [{ id, expectedVersion: 2 }] })
    expect(details).toMatchObject([{ status: 'CONFLICT', conflict: { expectedVersion: 2, actualVersion: 1, changedPaths: [] } }])
  })

  it('are refused for what is not selected, and for what is named twice', async () => {
    const [org, other] = [await anOrganisation(), await anOrganisation()]
    const [own, second, foreign] = [await anAssessment(org, 1), await anAssessment(org, 1), await anAssessment(other, 1)]
    await db.question.updateMany({ where: { organisationId: org.id }, data: { revision: 2 } })
    const refusedWith = async (assessmentIds: (string | number)[] | null, ids: (string | number)[]) => {
      const expectedVersions = ids.map((id) => ({ id, expectedVersion: 1 }))
      const refused = await refusal(org, { assessmentIds, expectedVersions })
      expect(await versionsOf(org)).toEqual([1, 1])
      return refused
    }
    const at = (index: number, code: string) => ({ path: ['expectedVersions', String(index), 'id'], code })

    expect(await refusedWith([own.id], [own.id, second.id])).toEqual({ __typename: 'ValidationError', issues: [at(1, 'UNKNOWN')] })
    expect(await refusedWith([own.oid], [own.id, second.oid])).toEqual({ __typename: 'ValidationError', issues: [at(1, 'UNKNOWN')] })
    expect(await refusedWith(null, [own.id, foreign.id, foreign.oid, 'no uuid'])).toEqual({
      __typename: 'ValidationError',
      issues: [at(1, 'UNKNOWN'), at(2, 'UNKNOWN'), at(3, 'UNKNOWN')],
    })
    expect(await refusedWith(null, [own.id, own.id.toUpperCase()])).toEqual({ __typename: 'ValidationError', issues: [at(1, 'DUPLICATE')] })
    expect(await refusedWith([own.id], [own.id, second.id, own.id])).toEqual({
      __typename: 'ValidationError',
      issues: [at(1, 'UNKNOWN'), at(2, 'DUPLICATE')],
    })
    expect(await refusedWith(null, [own.id, second.oid, own.oid])).toEqual({ __typename: 'ValidationError', issues: [at(2, 'DUPLICATE')] })
  })

  it('below 0 are refused, before an id is looked at', async () => {
    const org = await anOrganisation()
    const { id } = await anAssessment(org, 1)
    const expectedVersions = [{ id, expectedVersion: -1 }]
    expect(await refusal(org, { assessmentIds: [id, randomUUID()], expectedVersions })).toEqual({
      __typename: 'ValidationError',
      issues: [{ path: ['expectedVersions', '0', 'expectedVersion'], code: 'OUT_OF_RANGE' }],
    })
  })
})

describe('many assessments', () => {
  /**
   * How many statements it takes to refresh the assessments of a new organisation, each of questions
   * and of a topic of its own, the first `stale` of them being in conflict.
   */
  async function statementsFor(count: number, stale: number): Promise<number> {
    const org = await anOrganisation()
    for (let i = 0; i < count; i++) {
      const topic = `Topic ${i}`
      const questions = [await org.question({ topic }), await org.question({ topic }), await org.question({ topic })]
      const template = await org.template({ sections: [{ title: topic, topic, difficulty: 'EASY', questionCount: 3 }] })
      await org.assessment({ templateId: template.id })
      const [revised, replaced, lost] = questions.map(({ qid }) => qid)
      await revise(revised ?? 0, { text: 'New' })
      await org.question({ topic })
      await remove(replaced ?? 0, lost ?? 0)
    }
    const rows = await db.assessment.findMany({ where: { organisationId: org.id }, orderBy: { oid: 'asc' } })
    const expectedVersions = rows.slice(0, stale).map((row) => ({ id: row.id, expectedVersion: 9 }))
    const details: z.output<typeof detail>[] = []
    const statements = await statementsOf(async () => {
      details.push(...(await refresh(org, { expectedVersions })).details)
    })
    const updated = { status: 'UPDATED', refreshedQids: { length: 1 }, replacements: { length: 1 }, replacementFailures: { length: 1 } }
    expect(details).toMatchObject(rows.map((_, i) => (i < stale ? { status: 'CONFLICT' } : updated)))
    expect(statements.length).toBeGreaterThan(5)
    return statements.length
  }

  it('take as many statements as one', async () => {
    expect(await statementsFor(50, 0)).toBe(await statementsFor(1, 0))
  })

  it('take as many statements as two, however many of them are in conflict', async () => {
    expect(await statementsFor(50, 25)).toBe(await statementsFor(2, 1))
  })

  it('go on past one batch, each detail in its place', async () => {
    const org = await anOrganisation()
    const { id, qid } = await anAssessment(org, 2)
    await copies(id, 500)
    const [spare] = await spares(org, 1)
    await revise(qid(0), { text: 'New' })
    await remove(qid(1))
    const { assessmentsUpdated, details } = await refresh(org)
    expect(assessmentsUpdated).toBe(501)
    const rows = await db.assessment.findMany({ where: { organisationId: org.id }, orderBy: { oid: 'asc' } })
    expect(details.map((it) => [it.assessment.id, it.assessment.version, it.status, it['refreshedQids'], it['replacements']])).toEqual(
      rows.map((row) => [row.id, 2, 'UPDATED', [qid(0)], [{ oldQid: qid(1), newQid: spare }]]),
    )
  })

  it('go on past one batch also when they are named, in any order and by either of their ids', async () => {
    const org = await anOrganisation()
    const { id, qid } = await anAssessment(org, 1)
    await copies(id, 1_000)
    await revise(qid(0), { text: 'New' })
    const rows = await db.assessment.findMany({ where: { organisationId: org.id } })
    // One of them is not named. The others are two whole batches.
    const [left, ...named] = rows.map((row, i) => ({ row, sortedBy: randomUUID(), assessmentId: i % 2 ? row.id.toUpperCase() : String(row.oid) }))
    const assessmentIds = named.toSorted((a, b) => (a.sortedBy < b.sortedBy ? -1 : 1)).map(({ assessmentId }) => assessmentId)
    const query = `mutation ($assessmentIds: [ID!]) {
      refreshAssessments(assessmentIds: $assessmentIds) { ... on RefreshAssessmentsSuccess { assessmentsUpdated details { status assessment { oid } } } }
    }`
    const details = named.map(({ row }) => ({ status: 'UPDATED', assessment: { oid: row.oid } })).toSorted((a, b) => a.assessment.oid - b.assessment.oid)
    expect(await org.request(query, { assessmentIds })).toEqual({ data: { refreshAssessments: { assessmentsUpdated: 1_000, details } } })
    expect((await db.assessment.findUniqueOrThrow({ where: { id: left?.row.id ?? '' } })).version).toBe(1)
  })

  it('are refreshed all or none, also when a later batch fails', async () => {
    const org = await anOrganisation()
    const { id, qid } = await anAssessment(org, 1)
    await copies(id, 500)
    await revise(qid(0), { text: 'New' })
    // The last by id, so that the batch of the others is already written when this one turns out to be unreadable.
    await db.$executeRaw`
      UPDATE "Assessment" SET "sections" = '[{"title": 1}]', "version" = "version" + 1
      WHERE "id" = (SELECT "id" FROM "Assessment" WHERE "organisationId" = ${org.id}::uuid ORDER BY "id" DESC LIMIT 1)`

    const { data, errors } = await org.request(REFRESH)

    expect(data).toEqual({ refreshAssessments: null })
    expect(errors).toMatchObject([{ message: 'Unexpected error.', extensions: { code: 'INTERNAL_SERVER_ERROR' } }])
    expect(logged.some((line) => line.includes(String(errors?.[0]?.extensions?.['errorId'])))).toBe(true)
    expect((await versionsOf(org)).filter((version) => version > 1)).toEqual([2])
  })
})

it('an assessment may have questions of more pools than a statement can have parameters', async () => {
  const POOLS = 33_000
  const org = await anOrganisation()
  const { id, qids } = await anAssessment(org, 1)
  await remove(...qids)
  const [spare] = await spares(org, 1, 'topic 33000')
  // All of the same deleted question, each of a topic of its own.
  await db.$executeRaw`
    UPDATE "Assessment" SET "version" = "version" + 1, "sections" = jsonb_build_array(jsonb_build_object('title', 'Many', 'questions', (
      SELECT jsonb_agg(("sections" #> '{0,questions,0}') || jsonb_build_object('id', gen_random_uuid(), 'topic', 'topic ' || number))
      FROM generate_series(1, ${POOLS}::int) AS number
    ))) WHERE "id" = ${id}::uuid`
  const counts = 'status totalQuestions deletedQuestionsReplaced deletedQuestionsNotReplaced replacements { oldQid newQid }'
  expect(await org.request(`mutation { refreshAssessments { ... on RefreshAssessmentsSuccess { details { ${counts} } } } }`)).toEqual({
    data: {
      refreshAssessments: {
        details: [
          {
            status: 'UPDATED',
            totalQuestions: POOLS,
            deletedQuestionsReplaced: 1,
            deletedQuestionsNotReplaced: POOLS - 1,
            replacements: [{ oldQid: qids[0], newQid: spare }],
          },
        ],
      },
    },
  })
})

describe('the deadline', () => {
  // On the embedded database nothing else can hold a lock: there is one connection.
  it.skipIf(database.embedded)('ends a refresh that has to wait too long, and nothing is changed', async () => {
    const org = await anOrganisation()
    const [free, locked] = [await anAssessment(org, 1), await anAssessment(org, 1)]
    await db.question.updateMany({ where: { organisationId: org.id }, data: { revision: 2 } })
    const log: string[] = []
    const impatient = createServer({
      ...dependencies,
      log: pino({ level: 'error' }, { write: (line: string) => void log.push(line) }),
      limits: { ...limits, refreshTimeoutMs: 500 },
    })
    const send = async (): Promise<unknown> => {
      const headers = { 'content-type': 'application/json', apikey: org.key }
      const body = JSON.stringify({ query: REFRESH })
      return (await impatient.fetch('http://gateway.test/graphql', { method: 'POST', headers, body })).json()
    }

    const answered = await db.$transaction(async (transaction) => {
      await transaction.$queryRaw`SELECT 1 FROM "Assessment" WHERE "id" = ${locked.id}::uuid FOR UPDATE`
      return send()
    })

    const { errors } = z.object({ errors: z.array(z.object({ extensions: z.object({ code: z.string(), errorId: z.uuid() }) })) }).parse(answered)
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(['INTERNAL_SERVER_ERROR'])
    expect(log.find((line) => line.includes(errors[0]?.extensions.errorId ?? '?'))).toContain('statement timeout')
    expect([await stored(org, free.id), await stored(org, locked.id)]).toEqual([free.before, locked.before])
    expect(await send()).toMatchObject({ data: { refreshAssessments: { assessmentsUpdated: 2 } } })
  })
})

// On the embedded database nothing else can hold a lock: there is one connection.
describe.skipIf(database.embedded)('refreshes of one organisation', () => {
  it('wait for each other without a connection', async () => {
    const org = await anOrganisation()
    const locked = await anAssessment(org, 1)
    const statements: string[] = []
    database.onQuery((sql) => statements.push(sql))
    const sent = await db.$transaction(async (transaction) => {
      await transaction.$queryRaw`SELECT 1 FROM "Assessment" WHERE "id" = ${locked.id}::uuid FOR UPDATE`
      const all = [1, 2, 3, 4].map(() => org.request(REFRESH))
      await expect.poll(() => statements.some((sql) => sql.includes('set_config'))).toBe(true)
      await expect.poll(() => database.pool.waiting + database.pool.totalCount - database.pool.idleCount).toBe(2)
      return all
    })
    for (const { data } of await Promise.all(sent)) expect(data).toMatchObject({ refreshAssessments: { assessmentsUpdated: 1 } })
    // Those of one process do not even try before it is their turn.
    expect(statements.filter((sql) => sql.includes('pg_try_advisory')).length).toBe(4)
  })

  it('wait for that of another process', async () => {
    const org = await anOrganisation()
    await anAssessment(org, 1)
    const tries: string[] = []
    database.onQuery((sql) => {
      if (sql.includes('pg_try_advisory')) tries.push(sql)
    })
    const sent = await db.$transaction(async (transaction) => {
      await transaction.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`refresh ${org.id}`}, 0))`
      const refreshing = org.request(REFRESH)
      await expect.poll(() => tries.length, { timeout: 4_000 }).toBeGreaterThan(1)
      return [refreshing]
    })
    expect((await sent[0])?.data).toMatchObject({ refreshAssessments: { assessmentsUpdated: 1 } })
  })
})
