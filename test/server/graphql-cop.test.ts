// The twelve checks of graphql-cop, a scanner of GraphQL servers, against the gateway in production.
import { expect, test } from 'vitest'
import { z } from 'zod'
import { createServer } from '../../src/server/server.js'
import { readSettings } from '../../src/settings.js'
import { dependencies } from '../gateway.js'
import { anOrganisation } from '../story.js'

const { graphiql, introspection, limits } = readSettings({ NODE_ENV: 'production' })
const gateway = createServer({ ...dependencies, graphiql: graphiql && { demoKey: undefined }, introspection, limits })
const url = 'http://gateway.test/graphql'

const answer = z.looseObject({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z.array(z.looseObject({ message: z.string(), extensions: z.looseObject({}).optional() })).optional(),
  extensions: z.looseObject({}).optional(),
})

async function post(body: unknown, type = 'application/json') {
  const { key } = await anOrganisation()
  const response = await gateway.fetch(url, {
    method: 'POST',
    headers: { apikey: key, 'content-type': type },
    body: type === 'application/json' ? JSON.stringify(body) : String(body),
  })
  return { status: response.status, ...answer.parse(await response.json()) }
}

async function get(query: string, headers: Record<string, string> = {}) {
  const { key } = await anOrganisation()
  return gateway.fetch(`${url}?query=${encodeURIComponent(query)}`, { headers: { apikey: key, ...headers } })
}

const repeat = (count: number, part: (index: number) => string) => Array.from({ length: count }, (_, index) => part(index)).join(' ')

test('alias overloading', async () => {
  expect((await post({ query: `query cop { ${repeat(101, (index) => `alias${index}:__typename`)} }` })).data).toBeUndefined()
})

test('array-based query batching', async () => {
  expect(await post(Array.from({ length: 10 }, () => ({ query: 'query cop { __typename }' })))).toMatchObject({ status: 400, errors: [{}] })
})

test('directive overloading: one error, not one for each', async () => {
  expect((await post({ query: `query cop { __typename ${'@aa'.repeat(10)} }` })).errors).toHaveLength(1)
})

test('circular query by introspection', async () => {
  const circle = 'fields { type { '.repeat(4)
  expect((await post({ query: `query cop { __schema { types { ${circle} name ${'} }'.repeat(4)} } } }` })).data).toBeUndefined()
})

test('field duplication', async () => {
  expect((await post({ query: `query cop { ${'__typename '.repeat(500)} }` })).data).toBeUndefined()
})

test('introspection', async () => {
  expect((await post({ query: 'query cop { __schema { types { name fields { name } } } }' })).data).toBeUndefined()
  expect((await post({ query: 'query cop { __type(name: "Assessment") { name } }' })).data).toBeUndefined()
  expect((await post({ query: 'query cop { _service { sdl } }' })).data).toBeUndefined()
})

test('field suggestions', async () => {
  for (const query of ['query cop { __schema { directive } }', '{ assessmen { id } }', '{ assessments(frist: 1) { totalCount } }', '{ assessments { nodes { nam } } }']) {
    const { errors } = await post({ query })
    expect(errors).not.toEqual([])
    expect(JSON.stringify(errors)).not.toContain('Did you mean')
  }
  const variables = { filter: { statuss: ['DRAFT'], status: ['DRAFTT'] } }
  const { errors } = await post({ query: 'query ($filter: AssessmentFilter) { assessments(filter: $filter) { totalCount } }', variables })
  expect(errors).not.toEqual([])
  expect(JSON.stringify(errors)).not.toContain('Did you mean')
})

test('GraphiQL', async () => {
  const page = await gateway.fetch(url, { headers: { accept: 'text/html' } })
  expect(await page.text()).not.toMatch(/graphiql|playground/i)
})

test('queries over GET', async () => {
  const response = await get('query cop { __typename }')
  expect({ status: response.status, ...answer.parse(await response.json()) }).toMatchObject({ status: 400, errors: [{ extensions: { code: 'PREFLIGHT_REQUIRED' } }] })
})

test('mutations over GET, even with a header that no foreign page can send', async () => {
  const response = await get('mutation cop { __typename }', { 'apollo-require-preflight': 'true' })
  expect(response.status).toBe(405)
})

test('mutations over GET, for an event stream', async () => {
  const response = await get('mutation cop { __typename }', { accept: 'text/event-stream' })
  expect(response.status).toBe(405)
})

test('forms: urlencoded, multipart and plain text', async () => {
  expect((await post('query=query+cop+%7B__typename%7D', 'application/x-www-form-urlencoded')).status).toBe(415)
  expect((await post('{"query":"{ __typename }"}', 'text/plain')).status).toBe(415)
  const boundary = '--b\r\ncontent-disposition: form-data; name="operations"\r\n\r\n{"query":"mutation { __typename }"}\r\n--b--'
  expect((await post(boundary, 'multipart/form-data; boundary=b')).status).toBe(415)
})

test('traces and unhandled errors', async () => {
  const traced = await post({ query: 'query cop { __typename }' })
  expect(traced).toMatchObject({ status: 200, data: { __typename: 'Query' } })
  expect(Object.keys(traced.extensions ?? {})).toEqual(['cost'])
  const { errors } = await post({ query: 'qwerty cop { abc }' })
  expect(errors).not.toEqual([])
  expect(JSON.stringify(errors)).not.toMatch(/exception|stack|node_modules/)
})
