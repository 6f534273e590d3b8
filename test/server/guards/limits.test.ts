// What a request may hold is bounded before any work is done for it.
import { once } from 'node:events'
import { createServer as createHttpServer, request as httpRequest } from 'node:http'
import { json } from 'node:stream/consumers'
import { getIntrospectionQuery, parse } from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { cacheBySource } from '../../../src/server/guards/document-cache.js'
import { createServer } from '../../../src/server/server.js'
import { dependencies, limits, statementsOf } from '../../gateway.js'
import { anOrganisation, type Story } from '../../story.js'

/** With the limits that hold unless a setting says otherwise. */
const gateway = createServer({ ...dependencies, limits })

let org: Story
beforeAll(async () => {
  org = await anOrganisation()
})

async function send(query: string, variables: object = {}) {
  const response = await gateway.fetch('http://gateway.test/graphql', {
    method: 'POST',
    headers: { apikey: org.key, 'content-type': 'application/json', accept: 'application/graphql-response+json' },
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
    const { errors } = await send(`${operation} ${spreading(levels, type)} fragment F${levels} on ${type} { ${field} }`)
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
  test.each([
    ['a field with a selection costs 1, one without nothing', '{ viewer { scopes user { id name } } }', {}, 2],
    ['a page counts as often as it is long', '{ assessments(first: 10) { totalCount pageInfo { endCursor } nodes { id entity { name } } } }', {}, 1 + 1 + 10 * 2],
    ['so it does by edges, from the end', '{ assessments(last: 3) { edges { cursor node { id } } } }', {}, 1 + 3 * 2],
    ['a page of no given length is 20 long', '{ assessments { nodes { id } } }', {}, 21],
    ['a length may be a variable', 'query ($first: Int) { assessments(first: $first) { nodes { id } } }', { first: 7 }, 8],
    ['with a default', 'query ($first: Int = 5) { assessments(first: $first) { nodes { id } } }', {}, 6],
    ['or null', 'query ($first: Int = 5) { assessments(first: $first) { nodes { id } } }', { first: null }, 21],
    ['pages inside of pages multiply', '{ assessments(first: 4) { nodes { history(first: 5) { nodes { version } } } } }', {}, 1 + 4 * (1 + 1 + 5)],
    ['fragments count where they are spread', '{ assessments(first: 4) { ...Page } } fragment Page on AssessmentConnection { nodes { ...Row ...Row } } fragment Row on Assessment { entity { id } }', {}, 1 + 4 * 3],
    ['ids count one by one', '{ nodes(ids: ["a", "b", "c"]) { id ... on Assessment { entity { id } } } }', {}, 3 * 2],
    ['and so do representations', 'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Entity { assessments(first: 2) { nodes { id } } } } }', { r: [{ __typename: 'Entity', id: 'x' }, { __typename: 'Entity', id: 'y' }] }, 2 * (1 + 1 + 2)],
    ['introspection costs nothing here', '{ __schema { types { name } } }', {}, 0],
  ])('%s', async (_, query, variables, requested) => {
    expect((await send(query, variables)).extensions?.cost).toEqual({ requested, maximum: limits.cost })
  })

  test.each([
    ['each field of Mutation is 10, by fragments too', 'mutation { ...F } fragment F on Mutation { a: refreshAssessments { __typename } b: refreshAssessments { __typename } }', 2 * (10 + 1)],
    ['what a refresh tells of each assessment counts 1,000 times', 'mutation { refreshAssessments { ... on RefreshAssessmentsSuccess { details { assessment { id } } } } }', 10 + 1 + 1000 * 2],
  ])('%s', async (_, query, requested) => {
    expect((await send(query)).extensions?.cost.requested).toBe(requested)
  })

  test('of a mutation is 10 and its answer’s objects', async () => {
    const { id } = await org.assessment()
    const { extensions } = await send(`mutation { updateAssessment(id: "${id}", input: { progress: 1 }) { ... on UpdateAssessmentSuccess { assessment { version } } } }`)
    expect(extensions?.cost.requested).toBe(10 + 1 + 1)
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
