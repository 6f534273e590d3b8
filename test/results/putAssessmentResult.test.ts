import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { bodyOf, db, gateway } from '../gateway.js'
import { anOrganisation, type Story } from '../story.js'

/* ---- the mutation, with everything that it can answer ------------------------------------------ */

const RESULT = `
  id sourcedId version status dateLastModified metadata score textScore scoreDate scorePercentile scoreStatus comment
  assessmentLineItem { sourcedId } student { sourcedId } scoreScale { sourcedId }
  learningObjectiveSet { source learningObjectiveResults { learningObjectiveId score textScore } }
  inProgress incomplete late missing createdAt updatedAt
  history { nodes { version changedPaths } }`

const ANSWERS = `
  __typename
  ... on PutAssessmentResultSuccess { created assessmentResult { ${RESULT} } }
  ... on ConflictError { expectedVersion actualVersion changedPaths current { id version } }
  ... on NotFoundError { ids }
  ... on ValidationError { issues { path code } }`

const PUT = `mutation ($sourcedId: ID!, $expectedVersion: Int, $input: PutAssessmentResultInput!) {
  putAssessmentResult(sourcedId: $sourcedId, expectedVersion: $expectedVersion, input: $input) { ${ANSWERS} }
}`

const result = z.looseObject({
  id: z.uuid(),
  version: z.number(),
  updatedAt: z.iso.datetime(),
  history: z.object({ nodes: z.array(z.object({ version: z.number(), changedPaths: z.array(z.string()) })) }),
})
const success = z.object({
  putAssessmentResult: z.object({
    __typename: z.literal('PutAssessmentResultSuccess'),
    created: z.boolean(),
    assessmentResult: result,
  }),
})
const failure = z.object({ putAssessmentResult: z.looseObject({ __typename: z.string().endsWith('Error') }) })

async function put(org: Story, sourcedId: string, input: object, expectedVersion?: number | null) {
  return (await org.dataOf(success, PUT, { sourcedId, input, expectedVersion })).putAssessmentResult
}

async function refusal(org: Story, sourcedId: string, input: object, expectedVersion?: number | null) {
  return (await org.dataOf(failure, PUT, { sourcedId, input, expectedVersion })).putAssessmentResult
}

async function stored(org: Story, sourcedId: string) {
  const query = `query ($sourcedId: ID!) { assessmentResult(sourcedId: $sourcedId) { ${RESULT} } }`
  return (await org.dataOf(z.object({ assessmentResult: result.nullable() }), query, { sourcedId })).assessmentResult
}

const invalid = (code: string, ...path: string[]) => ({ __typename: 'ValidationError', issues: [{ path, code }] })

/** An input with a value in every field. */
async function wholeInput(org: Story): Promise<Record<string, unknown>> {
  const scale = await org.scale()
  return {
    ...(await org.resultInput()),
    metadata: { source: 'sis', nested: { list: [1, 'two', null, true, { '🫘': -0.5 }] } },
    score: 95.5,
    textScore: 'A',
    scoreScaleSourcedId: scale.sourcedId,
    scorePercentile: 99.9,
    comment: 'Well done 🫘',
    learningObjectiveSet: [
      {
        source: 'case',
        learningObjectiveResults: [
          { learningObjectiveId: randomUUID(), score: 1.5, textScore: 'met' },
          { learningObjectiveId: randomUUID().toUpperCase(), score: null, textScore: null },
        ],
      },
      { source: 'local', learningObjectiveResults: [] },
    ],
    inProgress: false,
    incomplete: true,
    late: false,
    missing: true,
  }
}

/* ---- tests ------------------------------------------------------------------------------------- */

describe('a put', () => {
  it('creates the result under the caller’s sourcedId, with every field as sent', async () => {
    const org = await anOrganisation()
    const sourcedId = randomUUID()
    const { assessmentLineItemSourcedId, studentSourcedId, scoreScaleSourcedId, ...input } = await wholeInput(org)
    const references = { assessmentLineItemSourcedId, studentSourcedId, scoreScaleSourcedId }

    const { created, assessmentResult } = await put(org, sourcedId, { ...input, ...references })

    expect(created).toBe(true)
    expect(assessmentResult).toEqual({
      ...input,
      id: assessmentResult.id,
      sourcedId,
      version: 1,
      assessmentLineItem: { sourcedId: assessmentLineItemSourcedId },
      student: { sourcedId: studentSourcedId },
      scoreScale: { sourcedId: scoreScaleSourcedId },
      dateLastModified: assessmentResult.updatedAt,
      createdAt: assessmentResult.updatedAt,
      updatedAt: assessmentResult.updatedAt,
      history: {
        nodes: [
          {
            version: 1,
            changedPaths: [
              'id', 'sourcedId', 'status', 'metadata', 'assessmentLineItem', 'student', 'score', 'textScore', 'scoreDate', 'scoreScale',
              'scorePercentile', 'scoreStatus', 'comment', 'learningObjectiveSet', 'inProgress', 'incomplete', 'late', 'missing', 'createdAt',
            ],
          },
        ],
      },
    })
    expect(await stored(org, sourcedId)).toEqual(assessmentResult)
  })

  it.each([
    ['left out', {}],
    [
      'null',
      {
        metadata: null, score: null, textScore: null, scoreScaleSourcedId: null, scorePercentile: null, comment: null,
        learningObjectiveSet: null, inProgress: null, incomplete: null, late: null, missing: null,
      },
    ],
  ])('replaces the result whole: what is %s becomes null, the learning objectives empty', async (_, rest) => {
    const org = await anOrganisation()
    const sourcedId = randomUUID()
    const { assessmentResult: before } = await put(org, sourcedId, await wholeInput(org))
    const [lineItem, student] = [await org.lineItem(), await org.user()]

    const { created, assessmentResult } = await put(org, sourcedId, {
      status: 'TOBEDELETED',
      assessmentLineItemSourcedId: lineItem.sourcedId,
      studentSourcedId: student.sourcedId,
      scoreDate: '2026-05-05T05:05:05.555Z',
      scoreStatus: 'EXEMPT',
      ...rest,
    })

    expect(created).toBe(false)
    expect(assessmentResult).toEqual({
      id: before.id,
      sourcedId,
      version: 2,
      status: 'TOBEDELETED',
      assessmentLineItem: { sourcedId: lineItem.sourcedId },
      student: { sourcedId: student.sourcedId },
      scoreDate: '2026-05-05T05:05:05.555Z',
      scoreStatus: 'EXEMPT',
      metadata: null,
      score: null,
      textScore: null,
      scoreScale: null,
      scorePercentile: null,
      comment: null,
      learningObjectiveSet: [],
      inProgress: null,
      incomplete: null,
      late: null,
      missing: null,
      createdAt: before['createdAt'],
      updatedAt: assessmentResult.updatedAt,
      dateLastModified: assessmentResult.updatedAt,
      history: {
        nodes: [
          {
            version: 2,
            changedPaths: before.history.nodes[0]?.changedPaths.filter((path) => !['id', 'sourcedId', 'createdAt'].includes(path)),
          },
          ...before.history.nodes,
        ],
      },
    })
    expect(await stored(org, sourcedId)).toEqual(assessmentResult)
  })

  it('of another organisation under the same sourcedId is another result', async () => {
    const [org, other] = [await anOrganisation(), await anOrganisation()]
    const sourcedId = randomUUID()
    const first = await put(org, sourcedId, await org.resultInput({ comment: 'first' }))
    const second = await put(other, sourcedId, await other.resultInput({ comment: 'second' }))
    expect([first.created, second.created]).toEqual([true, true])
    expect(await stored(org, sourcedId)).toEqual(first.assessmentResult)
  })

  it('names everything together that is wrong with the input alone', async () => {
    const org = await anOrganisation()
    const input = await org.resultInput({
      metadata: { key: '\u0000' },
      scorePercentile: 101,
      comment: '\u0000',
      textScore: '\u0000',
      learningObjectiveSet: [{ source: 'case', learningObjectiveResults: [{ learningObjectiveId: 'no uuid' }] }],
    })
    expect(await refusal(org, '', input, -1)).toEqual({
      __typename: 'ValidationError',
      issues: [
        { path: ['sourcedId'], code: 'TOO_SHORT' },
        { path: ['expectedVersion'], code: 'OUT_OF_RANGE' },
        { path: ['input', 'metadata'], code: 'INVALID_FORMAT' },
        { path: ['input', 'textScore'], code: 'INVALID_FORMAT' },
        { path: ['input', 'scorePercentile'], code: 'OUT_OF_RANGE' },
        { path: ['input', 'comment'], code: 'INVALID_FORMAT' },
        { path: ['input', 'learningObjectiveSet', '0', 'learningObjectiveResults', '0', 'learningObjectiveId'], code: 'INVALID_FORMAT' },
      ],
    })
    expect(await db.assessmentResult.count({ where: { organisationId: org.id } })).toBe(0)
  })
})

describe('the sourcedId', () => {
  it.each([1, 255])('can have %d code points', async (length) => {
    const org = await anOrganisation()
    const sourcedId = '🫘'.repeat(length)
    expect(await put(org, sourcedId, await org.resultInput())).toMatchObject({ created: true, assessmentResult: { sourcedId } })
    expect(await stored(org, sourcedId)).toMatchObject({ sourcedId })
  })

  it.each([
    ['is empty', '', 'TOO_SHORT'],
    ['has 256 code points', '🫘'.repeat(256), 'TOO_LONG'],
    ['holds U+0000', 'a\u0000', 'INVALID_FORMAT'],
  ])('is refused when it %s', async (_, sourcedId, code) => {
    const org = await anOrganisation()
    expect(await refusal(org, sourcedId, await org.resultInput())).toEqual(invalid(code, 'sourcedId'))
  })
})

describe('the score', () => {
  it.each([
    { bounds: { resultValueMin: 0, resultValueMax: 100 }, good: [0, 100, 33.3], bad: [-0.1, 100.1] },
    { bounds: { resultValueMin: -5, resultValueMax: null }, good: [-5, 1e300], bad: [-5.5] },
    { bounds: { resultValueMin: null, resultValueMax: 5 }, good: [5, -1e300], bad: [5.5] },
    { bounds: { resultValueMin: null, resultValueMax: null }, good: [-1e300, 0, 1e300], bad: [] },
  ])('lies within $bounds of its line item', async ({ bounds, good, bad }) => {
    const org = await anOrganisation()
    const sourcedId = randomUUID()
    const input = await org.resultInput({ assessmentLineItemSourcedId: (await org.lineItem(bounds)).sourcedId })
    for (const score of bad) expect(await refusal(org, sourcedId, { ...input, score })).toEqual(invalid('OUT_OF_RANGE', 'input', 'score'))
    expect(await stored(org, sourcedId)).toBeNull()
    for (const score of good) expect(await put(org, sourcedId, { ...input, score })).toMatchObject({ assessmentResult: { score } })
    for (const score of bad) expect(await refusal(org, sourcedId, { ...input, score })).toEqual(invalid('OUT_OF_RANGE', 'input', 'score'))
    expect(await stored(org, sourcedId)).toMatchObject({ version: good.length, score: good.at(-1) })
  })

  it('as a text is a grade of the given scale, else of the line item’s, else any text', async () => {
    const org = await anOrganisation()
    const letters = await org.scale()
    const words = await org.scale({ values: [{ itemValueLHS: 'met', itemValueRHS: '1' }] })
    const graded = await org.resultInput({ assessmentLineItemSourcedId: (await org.lineItem({ scoreScaleId: letters.id })).sourcedId })
    const free = await org.resultInput()
    const unknown = invalid('UNKNOWN', 'input', 'textScore')
    const own = { scoreScaleSourcedId: words.sourcedId }

    expect(await put(org, randomUUID(), { ...graded, textScore: 'B' })).toMatchObject({ assessmentResult: { textScore: 'B', scoreScale: null } })
    // neither another case, nor what the grade stands for, nor a grade of another scale
    for (const textScore of ['b', '0-89', 'met', '']) expect(await refusal(org, randomUUID(), { ...graded, textScore })).toEqual(unknown)
    expect(await put(org, randomUUID(), { ...graded, ...own, textScore: 'met' })).toMatchObject({
      assessmentResult: { textScore: 'met', scoreScale: { sourcedId: words.sourcedId } },
    })
    expect(await refusal(org, randomUUID(), { ...graded, ...own, textScore: 'A' })).toEqual(unknown)
    expect(await put(org, randomUUID(), { ...free, ...own, textScore: 'met' })).toMatchObject({ created: true })
    expect(await refusal(org, randomUUID(), { ...free, ...own, textScore: 'A' })).toEqual(unknown)
    expect(await put(org, randomUUID(), { ...free, textScore: 'anything' })).toMatchObject({ assessmentResult: { textScore: 'anything' } })
    expect(await put(org, randomUUID(), graded)).toMatchObject({ assessmentResult: { textScore: null } })
  })

  it('and the text are told together when the line item takes neither', async () => {
    const org = await anOrganisation()
    const lineItem = await org.lineItem({ scoreScaleId: (await org.scale()).id })
    const input = await org.resultInput({ assessmentLineItemSourcedId: lineItem.sourcedId, score: 101, textScore: 'C' })
    expect(await refusal(org, randomUUID(), input)).toEqual({
      __typename: 'ValidationError',
      issues: [{ path: ['input', 'score'], code: 'OUT_OF_RANGE' }, { path: ['input', 'textScore'], code: 'UNKNOWN' }],
    })
  })
})

describe('the percentile', () => {
  it('lies within 0 and 100', async () => {
    const org = await anOrganisation()
    const sourcedId = randomUUID()
    const input = await org.resultInput()
    for (const scorePercentile of [0, 100, 12.5]) {
      expect(await put(org, sourcedId, { ...input, scorePercentile })).toMatchObject({ assessmentResult: { scorePercentile } })
    }
    for (const scorePercentile of [-0.1, 100.1]) {
      expect(await refusal(org, sourcedId, { ...input, scorePercentile })).toEqual(invalid('OUT_OF_RANGE', 'input', 'scorePercentile'))
    }
    expect(await stored(org, sourcedId)).toMatchObject({ version: 3, scorePercentile: 12.5 })
  })
})

describe('a learning objective', () => {
  it('is named by a UUID when its source is "case", by any text otherwise', async () => {
    const org = await anOrganisation()
    const input = await org.resultInput()
    const sets = (source: string, ...ids: string[]) => ({
      ...input,
      learningObjectiveSet: [
        { source: 'local', learningObjectiveResults: [{ learningObjectiveId: 'any' }] },
        { source, learningObjectiveResults: ids.map((learningObjectiveId) => ({ learningObjectiveId })) },
      ],
    })
    expect(await put(org, randomUUID(), sets('case', randomUUID()))).toMatchObject({ created: true })
    expect(await put(org, randomUUID(), sets('CASE', 'any'))).toMatchObject({ created: true })
    expect(await refusal(org, randomUUID(), sets('case', randomUUID(), 'any', randomUUID(), `${randomUUID()}0`))).toEqual({
      __typename: 'ValidationError',
      issues: ['1', '3'].map((index) => ({
        path: ['input', 'learningObjectiveSet', '1', 'learningObjectiveResults', index, 'learningObjectiveId'],
        code: 'INVALID_FORMAT',
      })),
    })
  })
})

it('is named by a number only as far as JSON parsers keep numbers apart', async () => {
  const org = await anOrganisation()
  const input = await org.resultInput()
  const put = async (sourcedId: string): Promise<unknown> => {
    const body = JSON.stringify({ query: PUT, variables: { sourcedId: '#', input } }).replace('"#"', sourcedId)
    return bodyOf(await gateway.fetch('http://gateway.test/graphql', { method: 'POST', headers: { 'content-type': 'application/json', apikey: org.key }, body }))
  }
  for (const beyond of ['9007199254740993', '-9007199254740993', '1e21', '1.5']) {
    expect(await put(beyond), beyond).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] })
  }
  expect(await put('9007199254740991')).toMatchObject({ data: { putAssessmentResult: { created: true } } })
  expect(await stored(org, '9007199254740991')).toMatchObject({ version: 1 })
  expect(await db.assessmentResult.count({ where: { organisationId: org.id } })).toBe(1)
})

describe('metadata', () => {
  /** Puts a result whose metadata is given as JSON text, which can be deeper than JSON.stringify can write. */
  async function putMetadata(org: Story, sourcedId: string, metadata: string): Promise<unknown> {
    const variables = JSON.stringify({ sourcedId, input: await org.resultInput({ metadata: '#' }) }).replace('"#"', () => metadata)
    return send(org, `{"query":${JSON.stringify(PUT)},"variables":${variables}}`)
  }

  async function send(org: Story, body: string): Promise<unknown> {
    const headers = { 'content-type': 'application/json', apikey: org.key }
    return bodyOf(await gateway.fetch('http://gateway.test/graphql', { method: 'POST', headers, body }))
  }

  /** JSON that is so many levels deep, counting itself. */
  const nested = (levels: number) => `{"key":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`

  const refused = (code: string) => ({ data: { putAssessmentResult: invalid(code, 'input', 'metadata') } })

  it('has no whole number that a JSON parser rounds', async () => {
    const org = await anOrganisation()
    const sourcedId = randomUUID()
    for (const number of ['9007199254740993', '-9007199254740992', '1e300', '1e400']) expect(await putMetadata(org, sourcedId, `{"list":[{"id":${number}}]}`), number).toEqual(refused('INVALID_FORMAT'))
    const kept = '{"low":-9007199254740991,"high":9007199254740991,"part":0.1}'
    expect(await putMetadata(org, sourcedId, kept)).toMatchObject({ data: { putAssessmentResult: { created: true } } })
    expect(await stored(org, sourcedId)).toMatchObject({ metadata: { low: -9007199254740991, high: 9007199254740991, part: 0.1 } })
  })

  it('can have 64 KiB of JSON in UTF-8, and not a byte more', async () => {
    const org = await anOrganisation()
    const sourcedId = randomUUID()
    // {"k":"…"} is 8 bytes around the text; 🫘 is four.
    const text = '🫘'.repeat((65_536 - 8) / 4)
    expect(await putMetadata(org, sourcedId, JSON.stringify({ k: text }))).toMatchObject({ data: { putAssessmentResult: { created: true } } })
    expect(await stored(org, sourcedId)).toMatchObject({ metadata: { k: text } })
    expect(await putMetadata(org, sourcedId, JSON.stringify({ k: `${text}x` }))).toEqual(refused('TOO_LONG'))
    expect(await stored(org, sourcedId)).toMatchObject({ version: 1 })
  })

  it.each([
    ['in a value', { key: 'a\u0000b' }],
    ['in a key', { 'a\u0000b': 1 }],
    ['deep inside', { list: [{ deep: [['\u0000']] }] }],
    ['deep inside, in a key', { list: [{ deep: [[{ '\u0000': null }]] }] }],
  ])('holds no U+0000 %s', async (_, metadata) => {
    const org = await anOrganisation()
    const sourcedId = randomUUID()
    expect(await putMetadata(org, sourcedId, JSON.stringify(metadata))).toEqual(refused('INVALID_FORMAT'))
    expect(await stored(org, sourcedId)).toBeNull()
  })

  it.each([
    ['half of a surrogate pair', '{"key":"\\ud83e"}'],
    ['number beyond the largest', '{"key":[1e400]}'],
  ])('holds no %s', async (_, metadata) => {
    const org = await anOrganisation()
    expect(await putMetadata(org, randomUUID(), metadata)).toEqual(refused('INVALID_FORMAT'))
  })

  it.each([2, 100])('can be %d levels deep', async (levels) => {
    const org = await anOrganisation()
    const sourcedId = randomUUID()
    const metadata: unknown = JSON.parse(nested(levels))
    expect(await putMetadata(org, sourcedId, nested(levels))).toMatchObject({ data: { putAssessmentResult: { created: true } } })
    expect(await stored(org, sourcedId)).toMatchObject({ metadata })
  })

  it.each([101, 5_000, 32_000])('is refused at %d levels, not lost in an error of the server', async (levels) => {
    const org = await anOrganisation()
    expect(await putMetadata(org, randomUUID(), nested(levels))).toEqual(refused('INVALID_FORMAT'))
  })

  // Typed, where Vitest says any.
  const aboutMetadata: unknown = expect.stringContaining('"input.metadata"')

  it('is an object: anything else does not fit the type', async () => {
    const org = await anOrganisation()
    for (const metadata of ['[]', '"text"', '1', 'true']) {
      const answer = await putMetadata(org, randomUUID(), metadata)
      expect(answer).toMatchObject({ errors: [{ message: aboutMetadata }] })
      expect(answer).not.toHaveProperty('data')
    }
  })

  it('is checked also where it stands in the document itself', async () => {
    const org = await anOrganisation()
    const { assessmentLineItemSourcedId, studentSourcedId } = await org.resultInput()
    const inline = (metadata: string) =>
      `mutation { putAssessmentResult(sourcedId: "${randomUUID()}", input: {
        status: ACTIVE, assessmentLineItemSourcedId: "${String(assessmentLineItemSourcedId)}", studentSourcedId: "${String(studentSourcedId)}",
        scoreDate: "2026-03-04T10:30:00Z", scoreStatus: SUBMITTED, metadata: ${metadata}
      }) { ${ANSWERS} } }`
    expect(await org.request(inline('{ list: [1, "two", { deep: null }] }'))).toMatchObject({
      data: { putAssessmentResult: { assessmentResult: { metadata: { list: [1, 'two', { deep: null }] } } } },
    })
    expect(await org.request(inline('{ list: ["\\u0000"] }'))).toEqual(refused('INVALID_FORMAT'))
    expect(await org.request(inline(`{ list: ${'['.repeat(100)}${']'.repeat(100)} }`))).toEqual(refused('INVALID_FORMAT'))
  })
})

describe('what the input names', () => {
  it('and is not there, or is another organisation’s, is told all together', async () => {
    const [org, other] = [await anOrganisation(), await anOrganisation()]
    const foreign = {
      assessmentLineItemSourcedId: (await other.lineItem()).sourcedId,
      studentSourcedId: (await other.user()).sourcedId,
      scoreScaleSourcedId: (await other.scale()).sourcedId,
    }
    const sourcedId = randomUUID()
    const own = await org.resultInput()
    expect(await refusal(org, sourcedId, { ...own, ...foreign, score: 1e9 })).toEqual({ __typename: 'NotFoundError', ids: Object.values(foreign) })
    for (const [name, id] of Object.entries(foreign)) {
      expect(await refusal(org, sourcedId, { ...own, [name]: id })).toEqual({ __typename: 'NotFoundError', ids: [id] })
    }
    expect(await db.assessmentResult.count({ where: { organisationId: { in: [org.id, other.id] } } })).toBe(0)
  })
})

describe('an expected version', () => {
  it.each([undefined, null])('that is %s creates, then replaces', async (expectedVersion) => {
    const org = await anOrganisation()
    const sourcedId = randomUUID()
    const input = await org.resultInput()
    expect(await put(org, sourcedId, input, expectedVersion)).toMatchObject({ created: true, assessmentResult: { version: 1 } })
    expect(await put(org, sourcedId, input, expectedVersion)).toMatchObject({ created: false, assessmentResult: { version: 2 } })
  })

  it('of 0 creates, and conflicts once there is a result', async () => {
    const org = await anOrganisation()
    const sourcedId = randomUUID()
    const input = await org.resultInput()
    const { assessmentResult } = await put(org, sourcedId, input, 0)
    expect(assessmentResult.version).toBe(1)
    expect(await refusal(org, sourcedId, { ...input, comment: 'other' }, 0)).toEqual({
      __typename: 'ConflictError',
      expectedVersion: 0,
      actualVersion: 1,
      changedPaths: assessmentResult.history.nodes[0]?.changedPaths,
      current: { id: assessmentResult.id, version: 1 },
    })
    expect(await stored(org, sourcedId)).toEqual(assessmentResult)
  })

  it('of 1 or more replaces that version alone', async () => {
    const org = await anOrganisation()
    const sourcedId = randomUUID()
    const input = await org.resultInput()
    const { assessmentResult } = await put(org, sourcedId, input)
    expect(await put(org, sourcedId, { ...input, comment: 'second' }, 1)).toMatchObject({ created: false, assessmentResult: { version: 2 } })
    const conflict = { __typename: 'ConflictError', actualVersion: 2, current: { id: assessmentResult.id, version: 2 } }
    expect(await refusal(org, sourcedId, input, 1)).toEqual({ ...conflict, expectedVersion: 1, changedPaths: ['comment'] })
    expect(await refusal(org, sourcedId, input, 3)).toEqual({ ...conflict, expectedVersion: 3, changedPaths: [] })
    expect(await stored(org, sourcedId)).toMatchObject({ version: 2, comment: 'second' })
  })

  it('of 1 or more with no such result is not found, beside what else is not there, and nothing is inserted', async () => {
    const org = await anOrganisation()
    const sourcedId = randomUUID()
    const input = await org.resultInput()
    expect(await refusal(org, sourcedId, { ...input, score: 1e9 }, 1)).toEqual({ __typename: 'NotFoundError', ids: [sourcedId] })
    expect(await refusal(org, sourcedId, { ...input, studentSourcedId: 'nobody' }, 1)).toEqual({
      __typename: 'NotFoundError',
      ids: [sourcedId, 'nobody'],
    })
    expect(await stored(org, sourcedId)).toBeNull()
  })

  it('comes after what is not there and before what the line item says', async () => {
    const org = await anOrganisation()
    const sourcedId = randomUUID()
    const input = await org.resultInput()
    await put(org, sourcedId, input)
    expect(await refusal(org, sourcedId, { ...input, score: 101, studentSourcedId: 'nobody' }, 7)).toMatchObject({ __typename: 'NotFoundError' })
    expect(await refusal(org, sourcedId, { ...input, score: 101 }, 7)).toMatchObject({ __typename: 'ConflictError' })
    expect(await refusal(org, sourcedId, { ...input, score: 101 }, 1)).toMatchObject({ __typename: 'ValidationError' })
    expect(await stored(org, sourcedId)).toMatchObject({ version: 1 })
  })
})
