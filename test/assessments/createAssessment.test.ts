import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { dataOf, db } from '../gateway.js'
import { anOrganisation, OPTIONS, type Story } from '../story.js'

/* ---- the mutation, with everything that it can answer ------------------------------------------ */

const ASSESSMENT = `
  id oid version name companyName companyType country status intakeMode progress overallRiskScore overallRiskLevel
  organisation { id } entity { id } template { id } createdBy { subject } outcome { name }
  workflow { id state currentStep error { type message step details } }
  sections { index title questions { id index qid revision text topic difficulty options { key label riskScore } answer { key } } }
  createdAt updatedAt
  history { nodes { version changedPaths } }`

const CREATE = `mutation ($input: CreateAssessmentInput!) {
  createAssessment(input: $input) {
    __typename
    ... on CreateAssessmentSuccess { assessment { ${ASSESSMENT} } }
    ... on AlreadyExistsError { message existing { id version } }
    ... on NotFoundError { message ids }
    ... on ValidationError { issues { path code } }
  }
}`

const assessment = z.looseObject({
  id: z.uuid(),
  name: z.string(),
  version: z.number(),
  createdBy: z.object({ subject: z.string() }).nullable(),
  outcome: z.object({ name: z.string() }),
  workflow: z.looseObject({ id: z.uuid(), state: z.string() }),
  sections: z.array(z.object({ index: z.number(), title: z.string(), questions: z.array(z.looseObject({ id: z.uuid(), qid: z.number() })) })),
})
const success = z.object({ createAssessment: z.object({ __typename: z.literal('CreateAssessmentSuccess'), assessment }) })
const failure = z.object({ createAssessment: z.looseObject({ __typename: z.string().endsWith('Error') }) })

async function create(org: Story, input: object, key = org.key) {
  return (await dataOf(success, key, CREATE, { input })).createAssessment.assessment
}

async function refusal(org: Story, input: object) {
  return (await org.dataOf(failure, CREATE, { input })).createAssessment
}

/** An entity and a template with enough questions. */
async function place(org: Story) {
  await org.question()
  await org.question()
  const [entity, template] = [await org.entity(), await org.template()]
  return { entityId: entity.id, templateId: template.id }
}

// Typed, where Vitest says any.
const aString: unknown = expect.any(String)
const aNumber: unknown = expect.any(Number)
const aboutSection2: unknown = expect.stringContaining('Section 2')

const qidsOf = ({ sections }: z.output<typeof assessment>) => sections.map(({ questions }) => questions.map(({ qid }) => qid))

/** Changes a stored assessment as another writer would, under the rules of the version triggers. */
async function changeStored(id: string, data: Parameters<typeof db.assessment.update>[0]['data']) {
  await db.assessment.update({ where: { id }, data: { ...data, version: { increment: 1 } } })
}

/* ---- tests ------------------------------------------------------------------------------------- */

describe('a new assessment', () => {
  it('copies the entity, is an empty DRAFT at version 1 and starts its workflow', async () => {
    const org = await anOrganisation()
    const [first, second] = [await org.question(), await org.question({ text: 'How dear?' })]
    const entity = await org.entity({ name: 'Beans Ltd', companyType: 'Trader', country: 'Peru' })
    const template = await org.template({ name: 'Coffee check' })

    const created = await create(org, { entityId: entity.id, templateId: template.id })

    const question = { id: aString, revision: 1, topic: 'risk', difficulty: 'EASY', options: OPTIONS, answer: null }
    expect(created).toEqual({
      id: aString,
      oid: aNumber,
      version: 1,
      name: 'Coffee check – Beans Ltd',
      companyName: 'Beans Ltd',
      companyType: 'Trader',
      country: 'Peru',
      status: 'DRAFT',
      intakeMode: 'MANUAL_ENTRY',
      progress: 0,
      overallRiskScore: null,
      overallRiskLevel: null,
      organisation: { id: org.id },
      entity: { id: entity.id },
      template: { id: template.id },
      createdBy: null,
      outcome: { name: 'Open' },
      workflow: { id: aString, state: 'ACTIVE', currentStep: 'collect', error: null },
      sections: [
        {
          index: 0,
          title: 'Risk',
          questions: [
            { ...question, index: 0, qid: first.qid, text: 'How risky?' },
            { ...question, index: 1, qid: second.qid, text: 'How dear?' },
          ],
        },
      ],
      createdAt: created['updatedAt'],
      updatedAt: aString,
      history: {
        nodes: [
          {
            version: 1,
            changedPaths: [
              'id', 'oid', 'name', 'companyName', 'companyType', 'country', 'status', 'intakeMode', 'progress',
              'organisation', 'entity', 'template', 'outcome', 'workflow', 'sections', 'createdAt',
            ],
          },
        ],
      },
    })
  })

  it('copies what the entity lacks as null', async () => {
    const org = await anOrganisation()
    const { templateId } = await place(org)
    const entity = await org.entity({ companyType: null, country: null })
    expect(await create(org, { entityId: entity.id, templateId })).toMatchObject({ companyType: null, country: null })
  })

  it('keeps its copy when the entity changes', async () => {
    const org = await anOrganisation()
    const input = await place(org)
    const { id } = await create(org, input)
    await db.entity.update({ where: { id: input.entityId }, data: { name: 'Renamed', country: 'Chad' } })
    const answer = await org.request('query ($id: ID!) { assessment(id: $id) { companyName country entity { name } } }', { id })
    expect(answer).toEqual({
      data: { assessment: { companyName: 'Acme Coffee', country: 'Kenya', entity: { name: 'Renamed' } } },
    })
  })

  it('names the user of the credential as its creator', async () => {
    const org = await anOrganisation()
    const { subject } = await org.user({ subject: `auth0|${randomUUID()}` })
    const key = await org.keyWith(['ASSESSMENTS_WRITE'], subject ?? undefined)
    expect((await create(org, await place(org), key)).createdBy).toEqual({ subject })
  })

  it('takes the name and the intake mode that are given', async () => {
    const org = await anOrganisation()
    const input = { ...(await place(org)), name: 'Mine', intakeMode: 'UPLOAD' }
    expect(await create(org, input)).toMatchObject({ name: 'Mine', intakeMode: 'UPLOAD' })
  })

  it('cuts its default name to 200 code points, never through the middle of one', async () => {
    const org = await anOrganisation()
    await place(org)
    const [entity, template] = [await org.entity({ name: '🫘'.repeat(200) }), await org.template({ name: '☕️'.repeat(30) })]
    const { name } = await create(org, { entityId: entity.id, templateId: template.id })
    expect(name).toBe(`${'☕️'.repeat(30)} – ${'🫘'.repeat(200 - 63)}`)
    expect([...name]).toHaveLength(200)
  })

  it.each([
    ['200 code points that are 400 UTF-16 units', '🫘'.repeat(200)],
    ['1 code point', 'x'],
  ])('takes a name of %s', async (_, name) => {
    const org = await anOrganisation()
    expect((await create(org, { ...(await place(org)), name })).name).toBe(name)
  })

  it.each([
    ['is empty', '', 'TOO_SHORT'],
    ['is blank', ' \u00a0\t', 'TOO_SHORT'],
    ['has 201 code points', '🫘'.repeat(201), 'TOO_LONG'],
    ['holds U+0000', 'a\u0000b', 'INVALID_FORMAT'],
    ['holds half a surrogate pair', 'a\ud83e', 'INVALID_FORMAT'],
  ])('is refused when the name %s', async (_, name, code) => {
    const org = await anOrganisation()
    expect(await refusal(org, { ...(await place(org)), name })).toEqual({
      __typename: 'ValidationError',
      issues: [{ path: ['input', 'name'], code }],
    })
    expect(await db.assessment.count({ where: { organisationId: org.id } })).toBe(0)
  })

  it('has the outcome of the template that stands first, whichever was made first', async () => {
    const org = await anOrganisation()
    const input = await place(org)
    await db.outcome.updateMany({ where: { templateId: input.templateId, name: 'Bad' }, data: { position: -1 } })
    expect((await create(org, input)).outcome).toEqual({ name: 'Bad' })
  })

  it('answers every missing or foreign id together', async () => {
    const [org, other] = [await anOrganisation(), await anOrganisation()]
    const [own, foreign] = [await place(org), await place(other)]
    expect(await refusal(org, foreign)).toMatchObject({ __typename: 'NotFoundError', ids: [foreign.entityId, foreign.templateId] })
    expect(await refusal(org, { entityId: own.entityId, templateId: 'no uuid' })).toMatchObject({ __typename: 'NotFoundError', ids: ['no uuid'] })
    const unknown = randomUUID()
    expect(await refusal(org, { ...own, entityId: unknown })).toMatchObject({ __typename: 'NotFoundError', ids: [unknown] })
    expect(await db.assessment.count({ where: { organisationId: { in: [org.id, other.id] } } })).toBe(0)
  })
})

describe('drawing its questions', () => {
  /** Numbers that no question has yet, ascending. */
  async function freeQids(count: number): Promise<number[]> {
    const rows = await db.$queryRaw`SELECT nextval(pg_get_serial_sequence('"Question"', 'qid'))::int AS qid FROM generate_series(1, ${count}::int)`
    return z.array(z.object({ qid: z.number() })).parse(rows).map(({ qid }) => qid)
  }

  it('goes by ascending qid, however the bank is stored', async () => {
    const org = await anOrganisation()
    const qids = await freeQids(3)
    for (const qid of [...qids].reverse()) await org.question({ qid })
    const [entity, template] = [await org.entity(), await org.template()]
    const created = await create(org, { entityId: entity.id, templateId: template.id })
    expect(qidsOf(created)).toEqual([qids.slice(0, 2)])
  })

  it('takes only live questions of the topic, the difficulty and the organisation', async () => {
    const [org, other] = [await anOrganisation(), await anOrganisation()]
    await other.question()
    await org.question({ topic: 'Risk' })
    await org.question({ difficulty: 'HARD' })
    await org.question({ deleted: true })
    const right = [await org.question(), await org.question()]
    const [entity, template] = [await org.entity(), await org.template()]
    const created = await create(org, { entityId: entity.id, templateId: template.id })
    expect(qidsOf(created)).toEqual([right.map(({ qid }) => qid)])
  })

  it('takes no question twice, also across sections of the same topic and difficulty', async () => {
    const org = await anOrganisation()
    const hard = await org.question({ difficulty: 'HARD' })
    const easy = [await org.question(), await org.question(), await org.question()]
    const pool = { topic: 'risk', difficulty: 'EASY' }
    const template = await org.template({
      sections: [
        { title: 'First', ...pool, questionCount: 2 },
        { title: 'Hard', ...pool, difficulty: 'HARD', questionCount: 1 },
        { title: 'Empty', ...pool, questionCount: 0 },
        { title: 'Again', ...pool, questionCount: 1 },
      ],
    })
    const created = await create(org, { entityId: (await org.entity()).id, templateId: template.id })
    expect(created.sections.map(({ index, title }) => [index, title])).toEqual([[0, 'First'], [1, 'Hard'], [2, 'Empty'], [3, 'Again']])
    const [first, second, third] = easy.map(({ qid }) => qid)
    expect(qidsOf(created)).toEqual([[first, second], [hard.qid], [], [third]])
    expect(new Set(created.sections.flatMap(({ questions }) => questions.map(({ id }) => id))).size).toBe(4)
  })

  it('takes snapshots, which the bank no longer changes', async () => {
    const org = await anOrganisation()
    const input = await place(org)
    const created = await create(org, input)
    await db.question.updateMany({
      where: { organisationId: org.id },
      data: { revision: 2, text: 'Changed', difficulty: 'HARD', options: [{ key: 'x', label: 'X', riskScore: 1 }] },
    })
    const answer = await org.request(`query ($id: ID!) { assessment(id: $id) { ${ASSESSMENT} } }`, { id: created.id })
    expect(answer).toEqual({ data: { assessment: created } })
  })
})

describe('with too few questions', () => {
  /** Three questions for a template whose sections want 2 and 2 of them. */
  async function scarce(org: Story) {
    for (let i = 0; i < 3; i++) await org.question()
    const pool = { topic: 'risk', difficulty: 'EASY', questionCount: 2 }
    const template = await org.template({ sections: [{ title: 'One', ...pool }, { title: 'Two', ...pool }] })
    return { entityId: (await org.entity()).id, templateId: template.id }
  }

  it('it is created all the same, without questions, its workflow in ERROR at the first step', async () => {
    const org = await anOrganisation()
    const created = await create(org, await scarce(org))
    expect(created).toMatchObject({
      version: 1,
      status: 'DRAFT',
      outcome: { name: 'Open' },
      workflow: {
        state: 'ERROR',
        currentStep: null,
        error: {
          type: 'QUESTION_POOL_EXHAUSTED',
          message: aboutSection2,
          step: 'collect',
          details: { sectionIndex: 1, required: 2, available: 1 },
        },
      },
      sections: [{ index: 0, title: 'One', questions: [] }, { index: 1, title: 'Two', questions: [] }],
      history: { nodes: [{ version: 1 }] },
    })
  })

  it('it is not open: another can be created, in ERROR again or, once there are enough, ACTIVE', async () => {
    const org = await anOrganisation()
    const input = await scarce(org)
    const states = [(await create(org, input)).workflow.state, (await create(org, input)).workflow.state]
    await org.question()
    states.push((await create(org, input)).workflow.state)
    expect(states).toEqual(['ERROR', 'ERROR', 'ACTIVE'])
  })

  it('the open one of before still stands in its way', async () => {
    const org = await anOrganisation()
    const input = await scarce(org)
    const last = await org.question()
    const open = await create(org, input)
    await db.question.update({ where: { id: last.id }, data: { deleted: true } })
    expect(await refusal(org, input)).toMatchObject({ __typename: 'AlreadyExistsError', existing: { id: open.id } })
    expect(await db.assessment.count({ where: { organisationId: org.id } })).toBe(1)
  })
})

describe('a second one of an entity and template type', () => {
  it('is refused with the open one, which stays as it was', async () => {
    const org = await anOrganisation()
    const input = await place(org)
    const open = await create(org, input)
    expect(await refusal(org, input)).toEqual({
      __typename: 'AlreadyExistsError',
      message: 'The entity already has an open assessment of this template type.',
      existing: { id: open.id, version: 1 },
    })
    expect(await db.assessment.count({ where: { organisationId: org.id } })).toBe(1)
  })

  it('is refused also from another template of the same type', async () => {
    const org = await anOrganisation()
    const input = await place(org)
    const open = await create(org, input)
    const { type } = await db.assessmentTemplate.findUniqueOrThrow({ where: { id: input.templateId } })
    const twin = await org.template({ type, name: 'Twin' })
    expect(await refusal(org, { ...input, templateId: twin.id })).toMatchObject({
      __typename: 'AlreadyExistsError',
      existing: { id: open.id },
    })
  })

  it.each(['ANALYZING', 'ACTION_REQUIRED'] as const)('is refused while the first is %s', async (status) => {
    const org = await anOrganisation()
    const input = await place(org)
    const { id } = await create(org, input)
    await changeStored(id, { status })
    expect(await refusal(org, input)).toMatchObject({ __typename: 'AlreadyExistsError', existing: { id, version: 2 } })
  })

  it('is created when the type, the entity or the organisation is another', async () => {
    const [org, other] = [await anOrganisation(), await anOrganisation()]
    const input = await place(org)
    const ids = [
      await create(org, input),
      await create(org, { ...input, templateId: (await org.template()).id }),
      await create(org, { ...input, entityId: (await org.entity()).id }),
    ].map(({ id }) => id)
    const { type } = await db.assessmentTemplate.findUniqueOrThrow({ where: { id: input.templateId } })
    await other.question()
    await other.question()
    const elsewhere = { entityId: (await other.entity()).id, templateId: (await other.template({ type })).id }
    ids.push((await create(other, elsewhere)).id)
    expect(new Set(ids).size).toBe(4)
  })

  it('is created once the first is COMPLETE or its workflow CANCELLED', async () => {
    const org = await anOrganisation()
    const input = await place(org)
    const first = await create(org, input)
    await changeStored(first.id, { status: 'COMPLETE' })
    const second = await create(org, input)
    await changeStored(second.id, { workflowState: 'CANCELLED' })
    const third = await create(org, input)
    expect(await refusal(org, input)).toMatchObject({ __typename: 'AlreadyExistsError', existing: { id: third.id } })
    expect(new Set([first.id, second.id, third.id]).size).toBe(3)
  })
})
