import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { anOrganisation, type Story } from '../story.js'

/* ---- the mutation, with everything that it can answer ------------------------------------------ */

const ASSESSMENT = `
  id version status progress overallRiskScore
  sections { questions { id qid answer { key label riskScore } } }
  history { nodes { version changedPaths } }`

const ANSWER = `mutation ($id: ID!, $expectedVersion: Int, $answers: [AnswerInput!]!) {
  answerAssessmentQuestions(id: $id, expectedVersion: $expectedVersion, answers: $answers) {
    __typename
    ... on AnswerAssessmentQuestionsSuccess { assessment { ${ASSESSMENT} } }
    ... on ConflictError { actualVersion changedPaths }
    ... on ValidationError { issues { path code } }
  }
}`

const assessment = z.looseObject({
  version: z.number(),
  sections: z.array(z.object({ questions: z.array(z.looseObject({ id: z.string(), answer: z.looseObject({ key: z.string() }).nullable() })) })),
  history: z.object({ nodes: z.array(z.object({ version: z.number(), changedPaths: z.array(z.string()) })) }),
})
const success = z.object({
  answerAssessmentQuestions: z.object({ __typename: z.literal('AnswerAssessmentQuestionsSuccess'), assessment }),
})
const failure = z.object({ answerAssessmentQuestions: z.looseObject({ __typename: z.string().endsWith('Error') }) })

type Answers = { questionId: string; optionKey?: string | null }[]

async function answer(org: Story, id: string, answers: Answers) {
  return (await org.dataOf(success, ANSWER, { id, answers })).answerAssessmentQuestions.assessment
}

async function refusal(org: Story, id: string, answers: Answers, expectedVersion?: number) {
  return (await org.dataOf(failure, ANSWER, { id, answers, expectedVersion })).answerAssessmentQuestions
}

async function stored(org: Story, id: string) {
  const query = `query ($id: ID!) { assessment(id: $id) { ${ASSESSMENT} } }`
  return (await org.dataOf(z.object({ assessment }), query, { id })).assessment
}

async function setStatus(org: Story, id: string, status: string) {
  const mutation = `mutation ($id: ID!, $input: UpdateAssessmentInput!) {
    updateAssessment(id: $id, input: $input) { ... on UpdateAssessmentSuccess { assessment { status } } }
  }`
  const answered = z.object({ updateAssessment: z.object({ assessment: z.object({ status: z.literal(status) }) }) })
  await org.dataOf(answered, mutation, { id, input: { status } })
}

const keysOf = ({ sections }: z.output<typeof assessment>) =>
  sections.map(({ questions }) => questions.map((question) => question.answer?.key ?? null))

/** An assessment of two sections, with two questions and with one. */
async function anAssessment(org: Story) {
  for (let i = 0; i < 3; i++) await org.question()
  const pool = { topic: 'risk', difficulty: 'EASY' }
  const sections = [{ title: 'One', ...pool, questionCount: 2 }, { title: 'Two', ...pool, questionCount: 1 }]
  const template = await org.template({ sections })
  const made = await org.assessment({ templateId: template.id })
  const [first, second, third] = made.sections.flatMap(({ questions }) => questions.map(({ id }) => id))
  if (!first || !second || !third) throw new Error('There are three questions.')
  return { id: made.id, first, second, third }
}

/* ---- tests ------------------------------------------------------------------------------------- */

describe('an answer', () => {
  it('chooses an option; the other questions keep theirs', async () => {
    const org = await anOrganisation()
    const { id, first, third } = await anAssessment(org)
    await answer(org, id, [{ questionId: first, optionKey: 'none' }])

    const after = await answer(org, id, [{ questionId: third, optionKey: 'high' }])

    expect(keysOf(after)).toEqual([['none', null], ['high']])
    expect(after.sections[1]?.questions[0]?.answer).toEqual({ key: 'high', label: 'High risk', riskScore: 90 })
    expect(after).toMatchObject({ version: 3, status: 'DRAFT', progress: 0, overallRiskScore: null })
    expect(after.history.nodes.slice(0, 2)).toEqual([
      { version: 3, changedPaths: ['sections.1.questions.0.answer'] },
      { version: 2, changedPaths: ['sections.0.questions.0.answer'] },
    ])
    expect(await stored(org, id)).toEqual(after)
  })

  it('replaces and clears earlier ones, many as one version', async () => {
    const org = await anOrganisation()
    const { id, first, second, third } = await anAssessment(org)
    const all = [first, second, third].map((questionId) => ({ questionId, optionKey: 'some' }))
    expect(keysOf(await answer(org, id, all))).toEqual([['some', 'some'], ['some']])

    const after = await answer(org, id, [
      { questionId: third },
      { questionId: first, optionKey: 'none' },
      { questionId: second, optionKey: null },
    ])

    expect(keysOf(after)).toEqual([['none', null], [null]])
    expect(after.history.nodes[0]).toEqual({
      version: 3,
      changedPaths: ['sections.0.questions.0.answer', 'sections.0.questions.1.answer', 'sections.1.questions.0.answer'],
    })
  })

  it('that changes nothing, or none at all, is a version of its own without changed paths', async () => {
    const org = await anOrganisation()
    const { id, first, second } = await anAssessment(org)
    await answer(org, id, [{ questionId: first, optionKey: 'some' }])
    const again = [{ questionId: first, optionKey: 'some' }, { questionId: second, optionKey: null }]
    expect((await answer(org, id, again)).history.nodes[0]).toEqual({ version: 3, changedPaths: [] })
    expect((await answer(org, id, [])).history.nodes[0]).toEqual({ version: 4, changedPaths: [] })
  })

  it('is taken in every status but COMPLETE', async () => {
    const org = await anOrganisation()
    const { id, first } = await anAssessment(org)
    for (const status of ['DRAFT', 'ANALYZING', 'ACTION_REQUIRED']) {
      await setStatus(org, id, status)
      expect(await answer(org, id, [{ questionId: first, optionKey: 'some' }])).toMatchObject({ status })
    }
  })
})

describe('answers are refused, all of them,', () => {
  it('when some name unknown questions or options, each with its path', async () => {
    const org = await anOrganisation()
    const { id, first, second, third } = await anAssessment(org)
    const elsewhere = await org.assessment()
    await answer(org, id, [{ questionId: second, optionKey: 'none' }])
    const before = await stored(org, id)
    const foreign = elsewhere.sections[0]?.questions[0]?.id ?? ''

    const refused = await refusal(org, id, [
      { questionId: first, optionKey: 'none' },
      { questionId: foreign, optionKey: 'none' },
      { questionId: second, optionKey: 'NONE' },
      { questionId: 'no uuid', optionKey: null },
      { questionId: third, optionKey: '' },
    ])

    expect(refused).toEqual({
      __typename: 'ValidationError',
      issues: [
        { path: ['answers', '1', 'questionId'], code: 'UNKNOWN' },
        { path: ['answers', '2', 'optionKey'], code: 'UNKNOWN' },
        { path: ['answers', '3', 'questionId'], code: 'UNKNOWN' },
        { path: ['answers', '4', 'optionKey'], code: 'UNKNOWN' },
      ],
    })
    expect(await stored(org, id)).toEqual(before)
  })

  it('when one question is named twice', async () => {
    const org = await anOrganisation()
    const { id, first, second } = await anAssessment(org)
    const answers = [first, second, first].map((questionId) => ({ questionId, optionKey: 'none' }))
    expect(await refusal(org, id, answers)).toEqual({
      __typename: 'ValidationError',
      issues: [{ path: ['answers', '2', 'questionId'], code: 'DUPLICATE' }],
    })
    expect(await stored(org, id)).toMatchObject({ version: 1 })
  })

  it('when the assessment is COMPLETE, beside what else is wrong; not once it is reopened', async () => {
    const org = await anOrganisation()
    const { id, first } = await anAssessment(org)
    await setStatus(org, id, 'COMPLETE')
    const good = [{ questionId: first, optionKey: 'none' }]

    expect(await refusal(org, id, good)).toEqual({
      __typename: 'ValidationError',
      issues: [{ path: [], code: 'WRONG_STATE' }],
    })
    expect(await refusal(org, id, [{ questionId: first, optionKey: 'nine' }])).toEqual({
      __typename: 'ValidationError',
      issues: [{ path: [], code: 'WRONG_STATE' }, { path: ['answers', '0', 'optionKey'], code: 'UNKNOWN' }],
    })
    expect(await stored(org, id)).toMatchObject({ version: 2, status: 'COMPLETE' })

    await setStatus(org, id, 'DRAFT')
    expect(keysOf(await answer(org, id, good))).toEqual([['none', null], [null]])
  })

  it('with a conflict, before the stored questions are looked at, when the version is another', async () => {
    const org = await anOrganisation()
    const { id, first } = await anAssessment(org)
    await answer(org, id, [{ questionId: first, optionKey: 'none' }])
    expect(await refusal(org, id, [{ questionId: first, optionKey: 'nine' }], 1)).toEqual({
      __typename: 'ConflictError',
      actualVersion: 2,
      changedPaths: ['sections.0.questions.0.answer'],
    })
  })
})
