// An answer is bounded while it is made, whoever executes the operation and in whichever form it is sent, and holds nobody up.
import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { createServer, type ServerDependencies } from '../../../src/server/server.js'
import { db, dependencies, limits } from '../../gateway.js'
import { anOrganisation, type Story } from '../../story.js'

const COMMENT = 65_536
const ANSWER_BYTES = 1_000_000

let org: Story
beforeAll(async () => {
  org = await anOrganisation()
  const { assessmentLineItemSourcedId, studentSourcedId } = await org.resultInput()
  const comment = 'x'.repeat(COMMENT)
  for (let times = 0; times < 10; times += 1) await org.result({ assessmentLineItemSourcedId, studentSourcedId, comment })
})

const gatewayWith = (changed: Partial<ServerDependencies['limits']>) => createServer({ ...dependencies, limits: { ...limits, ...changed } })
const gateway = gatewayWith({ answerBytes: ANSWER_BYTES, cost: 1_000_000 })

function ask(query: string, { accept = 'application/json', from = gateway, variables = {}, key = org.key } = {}) {
  const headers = { apikey: key, 'content-type': 'application/json', accept }
  return from.fetch('http://gateway.test/graphql', { method: 'POST', headers, body: JSON.stringify({ query, variables }) })
}

const tooMany = { extensions: { code: 'LIMIT_EXCEEDED', limit: 'bytes', maximum: ANSWER_BYTES } }
const aliases = (count: number) => Array.from({ length: count }, (_, index) => `a${index}: comment`).join(' ')
const page = (first: number, fields: string, more = '') => `{ assessmentResults(first: ${first}) ${more} { nodes { ${fields} } } }`

/* An answer of one row, so that it is the answer that is too long and not what is read. */
describe('an answer with too many bytes is refused', () => {
  test.each([
    ['by a plan', page(1, aliases(16))],
    ['by Yoga’s executor', page(1, aliases(16), '@include(if: true)')],
    ['by aliases in a fragment', `{ a: assessmentResults(first: 1) { ...F } b: assessmentResults(first: 1) { ...F } } fragment F on AssessmentResultConnection { nodes { ${aliases(8)} } }`],
  ])('%s', async (_, query) => {
    const response = await ask(query)
    expect(await response.json()).toMatchObject({ errors: [tooMany] })
    expect(response.status).toBe(400)
  })

  test('as a stream of events too', async () => {
    const text = await (await ask(page(1, aliases(16)), { accept: 'text/event-stream' })).text()
    expect(text).toContain('"limit":"bytes"')
    expect(text.length).toBeLessThan(1_000)
  })

  test('of an event too', async () => {
    const { sourcedId } = await org.result({ comment: 'x'.repeat(COMMENT) })
    const query = `subscription { assessmentResultChanged(sourcedId: "${sourcedId}", sinceVersion: 0) { assessmentResult { ${aliases(16)} } } }`
    const reader = (await ask(query, { accept: 'text/event-stream' })).body?.getReader()
    const decoder = new TextDecoder()
    let text = ''
    while (!text.includes('event: next') || !text.endsWith('\n\n')) text += decoder.decode((await reader?.read())?.value, { stream: true })
    await reader?.cancel()
    expect(text).toContain('"limit":"bytes"')
  })

  test('and one with just as many is not', async () => {
    const response = await ask(page(1, aliases(15)))
    expect((await response.text()).length).toBeGreaterThan(15 * COMMENT)
    expect(response.status).toBe(200)
  })

  test('by the bytes that it is written with', async () => {
    const other = await anOrganisation()
    await other.result({ comment: '\u0001'.repeat(COMMENT) })
    expect(await (await ask(page(1, aliases(3)), { key: other.key })).json()).toMatchObject({ errors: [tooMany] })
  })
})

test('an answer is the same whether it is written at once or in turns', async () => {
  const query = page(10, 'id score comment scoreScale { id } learningObjectiveSet { source } student { name } metadata', '')
  const short = await (await ask(query, { from: gatewayWith({ answerBytes: 1_000_000_000, cost: 1_000_000 }) })).text()
  expect(await (await ask(query)).text()).toBe(short)
})

test('what an operation reads is bounded, also where it answers little', async () => {
  const other = await anOrganisation()
  const { id } = await other.assessment()
  const filler = [{ title: 'A', questions: Array.from({ length: 100 }, () => ({ id: randomUUID(), text: 'x'.repeat(6_000) })) }]
  await db.assessment.update({ where: { id }, data: { sections: filler, version: { increment: 1 }, changedBy: 'system:test' } })
  const response = await ask('{ a: assessments { nodes { sections { title } } } b: assessments { nodes { sections { title } } } }', { key: other.key })
  expect(await response.json()).toMatchObject({ errors: [tooMany] })
  expect((await ask('{ assessments { nodes { sections { title } } } }', { key: other.key })).status).toBe(200)
})

test('a refresh reads as much as there is, in portions', async () => {
  const other = await anOrganisation()
  for (let times = 0; times < 3; times += 1) await other.assessment()
  const response = await ask('mutation { refreshAssessments { ... on RefreshAssessmentsSuccess { assessmentsUpdated } } }', { key: other.key, from: gatewayWith({ answerBytes: 1_000 }) })
  expect(await response.json()).toMatchObject({ data: { refreshAssessments: { assessmentsUpdated: 3 } } })
})

describe('lists inside of a row', () => {
  const questions = 50
  const query = '{ assessments { nodes { sections { questions { text topic } } } } }'
  async function withQuestions() {
    const other = await anOrganisation()
    const { id } = await other.assessment()
    const sections = [{ title: 'A', questions: Array.from({ length: questions }, () => ({ id: randomUUID(), text: 'How?', topic: 'risk' })) }]
    await db.assessment.update({ where: { id }, data: { sections, version: { increment: 1 }, changedBy: 'system:test' } })
    return other
  }
  // Of 20 rows, each with one section with one question that costs 1 and its values 1 + 2 and 1.
  const before = 1 + 20 * (1 + 1 + 1 + 1 + 2 + 2)

  test.each([['by a plan', query], ['by Yoga’s executor', `query @skip(if: false) ${query}`.replace('@skip(if: false) ', '').replace('sections', 'sections @include(if: true)')]])(
    'cost as much as there is in them: %s',
    async (_, asked) => {
      const { key } = await withQuestions()
      const within = await ask(asked, { key, from: gatewayWith({ cost: before + questions * 6 }) })
      expect(await within.json()).not.toHaveProperty('errors')
      const beyond = await ask(asked, { key, from: gatewayWith({ cost: before + 10 }) })
      expect(beyond.status).toBe(400)
      expect(await beyond.json()).toMatchObject({ data: null, errors: [{ path: ['assessments', 'nodes', 0, 'sections', 0, 'questions'], extensions: { code: 'LIMIT_EXCEEDED', limit: 'cost', maximum: before + 10 } }] })
    },
  )
})

/* A long answer of many lists in a row that is read once: all of the time is spent in the process. */
describe('a long answer', () => {
  let long: Story
  beforeAll(async () => {
    long = await anOrganisation()
    const { id } = await long.assessment()
    const question = () => ({ id: randomUUID(), text: 'How?', topic: 'risk', options: Array.from({ length: 50 }, (_, index) => ({ key: `k${index}`, label: 'A label', riskScore: 1 })) })
    const sections = [{ title: 'A', questions: Array.from({ length: 100 }, question) }]
    await db.assessment.update({ where: { id }, data: { sections, version: { increment: 1 }, changedBy: 'system:test' } })
  })
  const options = (count: number) => Array.from({ length: count }, (_, index) => `o${index}: options { key label }`).join(' ')
  const patient = { answerBytes: 1_000_000_000, cost: 1_000_000_000 }

  test.each([['by a plan', ''], ['by Yoga’s executor', '@include(if: true)']])('ends at its deadline: %s', async (_, directive) => {
    const response = await ask(`{ assessments { nodes { sections ${directive} { questions { ${options(60)} } } } } }`, { key: long.key, from: gatewayWith({ ...patient, operationTimeoutMs: 100 }) })
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'TIMEOUT' } }] })
  })

  test.each([['by a plan', ''], ['by Yoga’s executor', '@include(if: true)']])('lets short ones be answered before it: %s', async (_, directive) => {
    const from = gatewayWith(patient)
    const order: string[] = []
    const slow = ask(`{ assessments { nodes { sections ${directive} { questions { ${options(30)} } } } } }`, { key: long.key, from }).then(async (response) => {
      await response.text()
      order.push('long')
    })
    for (let times = 0; times < 5; times += 1) {
      await (await ask('{ viewer { scopes } }', { from })).text()
      order.push('short')
    }
    await slow
    expect(order).toEqual([...Array.from({ length: 5 }, () => 'short'), 'long'])
  })
})
