// What a request may hold is bounded before any work is done for it.
import { once } from 'node:events'
import { createServer as createHttpServer, request as httpRequest } from 'node:http'
import { json } from 'node:stream/consumers'
import { getIntrospectionQuery, parse, printSchema } from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { cacheBySource } from '../../../src/server/guards/document-cache.js'
import { schema } from '../../../src/server/schema.js'
import { createServer } from '../../../src/server/server.js'
import { dependencies, limits, statementsOf } from '../../gateway.js'
import { anOrganisation, type Story } from '../../story.js'

/** With the limits that hold unless a setting says otherwise. */
const gateway = createServer({ ...dependencies, limits })

/** Which does not mind that fragments count each time they are spread. */
const patient = createServer({ ...dependencies, limits: { ...limits, cost: Number.MAX_SAFE_INTEGER } })

let org: Story
beforeAll(async () => {
  org = await anOrganisation()
})

async function send(query: string, variables: object = {}, { key }: Story = org, from = gateway) {
  const response = await from.fetch('http://gateway.test/graphql', {
    method: 'POST',
    headers: { apikey: key, 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify({ query, variables }),
  })
  const answer = z
    .object({
      data: z.unknown().optional(),
      errors: z.array(z.object({ message: z.string(), extensions: z.record(z.string(), z.unknown()) })).optional(),
      extensions: z.object({ cost: z.object({ requested: z.number(), maximum: z.number() }) }).optional(),
    })
    .parse(await response.json())
  return { status: response.status, ...answer }
}

/** How many objects, lists and leaves a value holds. */
function valuesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce((sum: number, it) => sum + valuesIn(it), 1)
}

const times = (count: number, part: (index: number) => string) => Array.from({ length: count }, (_, index) => part(index)).join(' ')
const spreading = (levels: number, type = 'Query') => times(levels, (level) => `fragment F${level} on ${type} { ...F${level + 1} ...F${level + 1} }`)

const tooLarge: Record<string, { limit: string; within: string; beyond: string }> = {
  'selections inside of each other': {
    limit: 'depth',
    within: `{ ${'assessments(first: 1) { nodes { entity { '.repeat(6)} id ${'} } }'.repeat(6)} }`,
    beyond: `{ ${'assessments(first: 1) { nodes { entity { '.repeat(7)} id ${'} } }'.repeat(7)} }`,
  },
  aliases: {
    limit: 'aliases',
    within: `{ viewer { ${times(limits.document.aliases, (index) => `a${index}: scopes`)} } }`,
    beyond: `{ viewer { ${times(limits.document.aliases + 1, (index) => `a${index}: scopes`)} } }`,
  },
  'fields at the root': {
    limit: 'rootFields',
    within: `{ ${times(limits.document.rootFields, (index) => `a${index}: viewer { scopes }`)} }`,
    beyond: `{ ${times(limits.document.rootFields + 1, (index) => `a${index}: viewer { scopes }`)} }`,
  },
  'fields at the root by fragments': {
    limit: 'rootFields',
    within: '{ ...F } fragment F on Query { viewer { scopes } }',
    beyond: `{ ...F0 } ${spreading(12)} fragment F12 on Query { viewer { scopes } }`,
  },
  'directives at one place': {
    limit: 'directives',
    within: '{ viewer @include(if: true) { scopes } }',
    beyond: `{ viewer ${'@include(if: true) '.repeat(limits.document.directives + 1)} { scopes } }`,
  },
  'repeated fields': {
    limit: 'repetitions',
    within: `{ viewer { ${'scopes '.repeat(limits.document.repetitions + 1)} } }`,
    beyond: `{ viewer { ${'scopes '.repeat(limits.document.repetitions + 2)} } }`,
  },
  'repeated __typename': {
    limit: 'repetitions',
    within: `{ viewer { ${'__typename '.repeat(10)} } }`,
    beyond: `{ viewer { ${'__typename '.repeat(500)} } }`,
  },
  'repeated fragments': {
    limit: 'repetitions',
    within: '{ ...F ...F } fragment F on Query { viewer { scopes } }',
    beyond: `{ viewer { ${'...F '.repeat(limits.document.repetitions + 2)} } } fragment F on Viewer { scopes }`,
  },
  tokens: {
    limit: 'tokens',
    within: '{ viewer { scopes } }',
    beyond: `{ viewer { scopes } } ${times(500, (index) => `fragment F${index} on Viewer { scopes user { id } }`)}`,
  },
  cost: {
    limit: 'cost',
    within: '{ assessments(first: 100) { nodes { entity { assessments(first: 100) { nodes { id } } } } } }',
    beyond: '{ assessments(first: 100) { nodes { entity { assessments(first: 100) { nodes { history(first: 100) { nodes { version } } } } } } } }',
  },
}
describe('a document', () => {
  test.each(Object.entries(tooLarge))('with too many %s is refused without SQL, and one within the limit is not', async (_, { limit, within, beyond }) => {
    const statements = await statementsOf(async () => {
      const { status, data, errors } = await send(beyond)
      expect({ status, data }).toEqual({ status: 400, data: undefined })
      expect(errors).toHaveLength(1)
      expect(errors?.[0]?.extensions).toMatchObject({ code: 'LIMIT_EXCEEDED', limit })
    })
    // Who asks is looked up before.
    expect(statements).toEqual([expect.stringContaining('"ApiKey"')])
    const { errors } = await send(within)
    expect((errors ?? []).map(({ extensions }) => extensions['code'])).not.toContain('LIMIT_EXCEEDED')
  })

  test('whose fragments spread each other without end is measured to an end', async () => {
    const { errors } = await send('{ ...A } fragment A on Query { ...B } fragment B on Query { ...A viewer { scopes } }')
    expect(errors?.[0]?.message).toContain('Cannot spread fragment')
  })

  test('whose fragments double at each level is measured and costed at once', async () => {
    const levels = 200
    const nested = times(levels, (level) => `fragment F${level} on Assessment { entity { assessments(first: 1) { nodes { ...F${level + 1} ...F${level + 1} } } } }`)
    const { errors } = await send(`{ assessments { nodes { ...F0 } } } ${nested} fragment F${levels} on Assessment { id }`)
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'LIMIT_EXCEEDED', limit: 'depth' })
  })

  // In a time that doubles with them, half a minute and more.
  test.each([
    ['of a row', '{ assessments { nodes { ...F0 } } }', 'Assessment', 'name'],
    ['of a related row', '{ assessments { nodes { entity { ...F0 } } } }', 'Entity', 'name'],
    ['of a list', '{ assessments { ...F0 } }', 'AssessmentConnection', '__typename'],
    ['of an interface', '{ nodes(ids: []) { ...F0 } }', 'Versioned', 'version'],
    ['of a failure', 'mutation { updateAssessment(id: "", input: {}) { ...F0 } }', 'NotFoundError', 'message'],
  ])('whose fragments %s double at each level is answered in no such time', { timeout: 5_000 }, async (_, operation, type, field) => {
    await org.assessment()
    const levels = 24
    const { errors } = await send(`${operation} ${spreading(levels, type)} fragment F${levels} on ${type} { ${field} }`, {}, org, patient)
    expect(errors).toBeUndefined()
  })

  test('nested as deep as its tokens allow is refused like any other', async () => {
    const deep = Math.floor(limits.document.tokens / 3)
    const { errors } = await send(`${'{a'.repeat(deep)}${'}'.repeat(deep)}`)
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'LIMIT_EXCEEDED', limit: 'depth' })
    // Whether the tokens or the stack end first depends on how far the parser has been compiled by then.
    const endless = await send('{a'.repeat(100_000))
    expect(endless.errors?.[0]?.extensions).toMatchObject({ code: 'LIMIT_EXCEEDED' })
  })

  test('of GraphiQL’s introspection passes', async () => {
    expect((await send(getIntrospectionQuery({ descriptions: true, inputValueDeprecation: true, schemaDescription: true, specifiedByUrl: true }))).errors).toBeUndefined()
  })

  test('that introspects in circles is refused', async () => {
    const { errors } = await send('{ __schema { types { fields { type { fields { type { fields { type { fields { type { name } } } } } } } } } } }')
    expect(errors?.[0]?.message).toContain('Maximum introspection depth exceeded')
  })

  test('is one of a request: several in an array are refused', async () => {
    const response = await gateway.fetch('http://gateway.test/graphql', {
      method: 'POST',
      headers: { apikey: org.key, 'content-type': 'application/json' },
      body: JSON.stringify(Array.from({ length: 10 }, () => ({ query: '{ __typename }' }))),
    })
    expect(response.status).toBe(400)
  })
})

describe('the cost', () => {
  const types = Object.keys(schema.getTypeMap()).length
  test.each([
    ['each object and each leaf costs 1', '{ viewer { scopes user { id name } } }', {}, 5],
    ['a page counts as often as it is long', '{ assessments(first: 10) { pageInfo { endCursor } nodes { id entity { name } } } }', {}, 1 + 2 + 10 * 4],
    ['its rows are read and count also where none is selected', '{ assessments(first: 50) { pageInfo { hasNextPage } } }', {}, 1 + 50 + 2],
    ['so it does by edges, from the end', '{ assessments(last: 3) { edges { cursor node { id } } } }', {}, 1 + 3 * 4],
    ['a page of no given length is 20 long', '{ assessments { nodes { id } } }', {}, 1 + 20 * 2],
    ['a length may be a variable', 'query ($first: Int) { assessments(first: $first) { nodes { id } } }', { first: 7 }, 1 + 7 * 2],
    ['with a default', 'query ($first: Int = 5) { assessments(first: $first) { nodes { id } } }', {}, 1 + 5 * 2],
    ['or null', 'query ($first: Int = 5) { assessments(first: $first) { nodes { id } } }', { first: null }, 1 + 20 * 2],
    ['pages inside of pages multiply', '{ assessments(first: 4) { nodes { history(first: 5) { nodes { version } } } } }', {}, 1 + 4 * (1 + 1 + 5 * 2)],
    ['fragments count where they are spread', '{ assessments(first: 4) { ...Page } } fragment Page on AssessmentConnection { nodes { ...Row ...Row } } fragment Row on Assessment { a: id b: id }', {}, 1 + 4 * (1 + 2 * 2)],
    ['so do the aliases in them, in each page', `{ ${times(3, (page) => `p${page}: assessments(first: 4) { nodes { ...Row } }`)} } fragment Row on Assessment { ${times(90, (leaf) => `a${leaf}: id`)} }`, {}, 3 * (1 + 4 * (1 + 90))],
    ['a text counts 1 more for each 4,096 characters that it can have', '{ assessmentResults(first: 5) { nodes { comment } } }', {}, 1 + 5 * (1 + 17)],
    ['ids count 10 more, one by one', '{ nodes(ids: ["a", "b", "c"]) { id ... on Assessment { entity { id } } } }', {}, 3 * (10 + 3)],
    ['and so do representations', 'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Entity { assessments(first: 2) { nodes { id } } } } }', { r: [{ __typename: 'Entity', id: 'x' }, { __typename: 'Entity', id: 'y' }] }, 2 * (10 + 1 + 2 * 2)],
    ['values in the variables count, but for the first 100', 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: times(100, () => 'x').split(' ') }, 100 * (10 + 1) + 2],
    ['a total counts 1,000', '{ assessments(first: 0) { totalCount } }', {}, 1 + 1 + 1000],
    ['each time it is asked for', `{ ${times(7, (page) => `p${page}: assessments(first: 0) { totalCount }`)} }`, {}, 7 * (1 + 1 + 1000)],
    ['but once for all rows, whose lists are counted together', '{ entities(first: 50) { nodes { assessments(first: 0) { totalCount } } } }', {}, 1 + 50 * 3 + 1000],
    ['introspection costs what it tells', '{ __schema { types { name } } }', {}, 1 + types * 2],
    ['federation’s SDL what it holds', '{ _service { sdl } }', {}, 2 + Math.floor(printSchema(schema).length / 4096)],
  ])('%s', async (_, query, variables, requested) => {
    expect((await send(query, variables)).extensions?.cost).toEqual({ requested, maximum: limits.cost })
  })

  test('is computed also for variables that are nested deeper than a call stack', async () => {
    const query = 'mutation ($id: ID!, $input: PutAssessmentResultInput!) { putAssessmentResult(sourcedId: $id, input: $input) { __typename } }'
    const input = JSON.stringify(await org.resultInput({ metadata: 'METADATA' }))
    const metadata = '{"a":'.repeat(90_000) + '{}' + '}'.repeat(90_000)
    const body = `{"query":${JSON.stringify(query)},"variables":{"id":"x","input":${input.replace('"METADATA"', metadata)}}}`
    const response = await gateway.fetch('http://localhost/graphql', { method: 'POST', headers: { 'content-type': 'application/json', apikey: org.key }, body })
    expect(await response.json()).toMatchObject({ data: { putAssessmentResult: { __typename: 'ValidationError' } } })
  })

  test('of introspection of the whole schema is about what the answer holds', async () => {
    const { data, extensions } = await send(getIntrospectionQuery())
    const held = valuesIn(data)
    expect(extensions?.cost.requested).toBeGreaterThan(held / 2)
    expect(extensions?.cost.requested).toBeLessThan(held * 4)
  })

  test('of each field of Mutation is 10 more, by fragments too', async () => {
    const { extensions } = await send('mutation { ...F } fragment F on Mutation { a: refreshAssessments { __typename } b: refreshAssessments { __typename } }')
    expect(extensions?.cost.requested).toBe(2 * (10 + 2))
  })

  test('of what a refresh tells is as high as there are assessments, or as are named', async () => {
    const fresh = await anOrganisation()
    const { id } = await fresh.assessment()
    for (let more = 0; more < 2; more += 1) await fresh.assessment()
    const told = '{ ... on RefreshAssessmentsSuccess { details { totalQuestions } } }'
    const costOf = async (field: string) => (await send(`mutation { ${field} }`, {}, fresh)).extensions?.cost.requested
    expect(await costOf(`refreshAssessments ${told}`)).toBe(10 + 1 + 3 * 2)
    expect(await costOf(`refreshAssessments(assessmentIds: ["${id}"]) ${told}`)).toBe(10 + 1 + 1 * 2)
    expect(await costOf('refreshAssessments { ... on RefreshAssessmentsSuccess { message } }')).toBe(10 + 1 + 1)
  })

  test('of a mutation is 10 and its answer’s values', async () => {
    const { id } = await org.assessment()
    const { extensions } = await send(`mutation { updateAssessment(id: "${id}", input: { progress: 1 }) { ... on UpdateAssessmentSuccess { assessment { version } } } }`)
    expect(extensions?.cost.requested).toBe(10 + 1 + 1 + 1)
  })

  test('that is too high keeps a mutation from writing', async () => {
    const { id, version } = await org.assessment()
    const costly = 'history(first: 100) { nodes { version } }'
    const { errors } = await send(`mutation { updateAssessment(id: "${id}", input: { progress: 1 }) { ... on UpdateAssessmentSuccess { assessment { entity {
      assessments(first: 100) { nodes { entity { assessments(first: 100) { nodes { ${costly} } } } } } } } } } }`)
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'LIMIT_EXCEEDED', limit: 'cost' })
    const stored = z.object({ assessment: z.object({ version: z.number() }) })
    expect((await org.dataOf(stored, `{ assessment(id: "${id}") { version } }`)).assessment.version).toBe(version)
  })

  test('that is too high keeps a subscription from starting', async () => {
    const page = 'entity { assessments(first: 100) { nodes { entity { assessments(first: 100) { nodes { history(first: 100) { nodes { version } } } } } } } }'
    const response = await gateway.fetch('http://gateway.test/graphql', {
      method: 'POST',
      headers: { apikey: org.key, 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: `subscription { assessmentChanged(id: "x") { assessment { ${page} } } }` }),
    })
    expect(await response.text()).toContain('LIMIT_EXCEEDED')
  })
})

test('documents are remembered by their length, and long ones not at all', () => {
  const documentCache = cacheBySource<object>()
  const document = parse('{ viewer { scopes } }')
  for (let index = 0; index < 1_000; index += 1) documentCache.set(`${index} ${'x'.repeat(1_000)}`, document)
  expect(documentCache.size).toBeLessThan(500)
  expect(documentCache.size).toBeGreaterThan(300)
  const long = `# ${'x'.repeat(20_000)}`
  documentCache.set(long, document)
  expect(documentCache.has(long)).toBe(false)
})

describe('a body', () => {
  const server = createHttpServer(createServer({ ...dependencies, limits: { ...limits, bodyBytes: 1000 } }).listener)
  afterAll(() => server.close())
  let url = ''
  beforeAll(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (typeof address === 'object' && address) url = `http://127.0.0.1:${address.port}/graphql`
  })

  /** Sends a body of so many bytes, with its length in front or in chunks of unknown number. */
  async function post(bytes: number, chunked: boolean): Promise<{ status: number | undefined; body: unknown }> {
    const query = '{ viewer { scopes } }'
    const padded = JSON.stringify({ query: query.padEnd(query.length + bytes - JSON.stringify({ query }).length) })
    expect(Buffer.byteLength(padded)).toBe(bytes)
    const request = httpRequest(url, { method: 'POST', headers: { apikey: org.key, 'content-type': 'application/json' } })
    if (!chunked) request.setHeader('content-length', bytes)
    const response = new Promise<{ status: number | undefined; body: unknown }>((resolve, reject) => {
      request.once('error', reject)
      request.once('response', (answer) => {
        json(answer).then((body) => resolve({ status: answer.statusCode, body }), reject)
      })
    })
    if (chunked) for (let at = 0; at < padded.length; at += 100) request.write(padded.slice(at, at + 100))
    else request.write(padded)
    request.end()
    return response
  }

  test.each([['announced', false], ['in chunks', true]])('of the limit, %s, is read, and one byte more is a 413', async (_, chunked) => {
    expect(await post(1000, chunked)).toMatchObject({ status: 200, body: { data: { viewer: {} } } })
    expect(await post(1001, chunked)).toMatchObject({ status: 413, body: { errors: [{ extensions: { code: 'PAYLOAD_TOO_LARGE' } }] } })
    expect(await post(50_000, chunked)).toMatchObject({ status: 413 })
  })

  test('without an end is refused as soon as it is too long', async () => {
    const request = httpRequest(url, { method: 'POST', headers: { apikey: org.key, 'content-type': 'application/json' } })
    const answered = once(request, 'response')
    request.write(`{"query":"${'x'.repeat(2000)}`)
    expect(await answered).toMatchObject([{ statusCode: 413, headers: { connection: 'close' } }])
    request.destroy()
  })

  test.each(['', '[]', '1', 'null', '{', '{"query":1}', '{"query":"{ viewer { scopes } }","variables":[]}'])('%j is refused, and nothing of it is repeated', async (body) => {
    const response = await fetch(url, { method: 'POST', headers: { apikey: org.key, 'content-type': 'application/json' }, body })
    expect(response.status).toBe(400)
    const text = await response.text()
    expect(text).toMatch(/"errors"/)
    expect(text).not.toMatch(/JSON at position|SyntaxError|originalError/)
  })
})
