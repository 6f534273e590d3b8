// Answers that are written without Yoga are what Yoga writes, by node:http and by fetch, however often a document has come.
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, request as httpRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import pino from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createServer } from '../../../src/server/server.js'
import { dependencies, limits } from '../../gateway.js'
import { anOrganisation, type Story } from '../../story.js'

const lines: string[] = []
const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) })
const byHash = '{ viewer { scopes organisation { name } } }'
const hash = createHash('sha256').update(byHash).digest('hex')
const persistedDocuments = { documents: new Map([[hash, byHash]]), only: false }
const options = { ...dependencies, log, persistedDocuments, corsOrigins: ['https://app.test'], limits: { ...limits, cost: 1_100, bodyBytes: 2000 } }

let org: Story
let reader: Story
let url = ''
const server = createHttpServer((incoming, response) => current.listener(incoming, response))
let current = createServer(options)
beforeAll(async () => {
  ;[org, reader] = await Promise.all([anOrganisation(), anOrganisation(['RECORDS_READ'])])
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address === 'object' && address) url = `http://127.0.0.1:${address.port}/graphql`
})
afterAll(() => server.close())

interface Sent {
  method?: string
  headers?: Record<string, string>
  body: unknown
}
interface Received {
  status: number
  headers: Record<string, unknown>
  body: string
}
type Send = (sent: Sent) => Promise<Received>

const textOf = (body: unknown) => (typeof body === 'string' ? body : JSON.stringify(body))
const headersOf = (headers: Sent['headers']) => ({ apikey: org.key, 'content-type': 'application/json', ...headers })

const overFetch: Send = async ({ method = 'POST', headers, body }) => {
  const response = await current.fetch(url, { method, headers: headersOf(headers), body: textOf(body) })
  return { status: response.status, headers: Object.fromEntries([...response.headers].map(([name, value]) => [name.toLowerCase(), value])), body: await response.text() }
}

const overHttp: Send = async ({ method = 'POST', headers, body }) => {
  const content = textOf(body)
  const sent = httpRequest(url, { method, headers: { ...headersOf(headers), 'content-length': Buffer.byteLength(content) } })
  sent.end(content)
  const response = await new Promise<IncomingMessage>((resolve) => sent.once('response', resolve))
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) }
}

/** What of an answer must not depend on the way; ids and times are each request's own. */
function comparable({ status, headers, body }: Received) {
  expect(headers['x-request-id']).toMatch(/^[\w-]{36}$/)
  const own = ['date', 'x-request-id', 'content-length', 'connection', 'keep-alive', 'transfer-encoding']
  const rest = Object.entries(headers).filter(([name]) => !own.includes(name))
  return { status, headers: Object.fromEntries(rest), body: body.replace(/"errorId":"[^"]*"/g, '') }
}

const assessment = 'query One($id: ID!) { assessment(id: $id) { id name } } query Two { __typename }'
const list = 'query ($first: Int) { assessments(first: $first) { nodes { id } totalCount } }'

/** What is sent. */
const requests: Record<string, () => Sent> = {
  'a query': () => ({ body: { query: '{ viewer { scopes } }' } }),
  'a query with variables': () => ({ body: { query: list, variables: { first: 3 } } }),
  'without variables and operation name': () => ({ body: { query: list, variables: null, operationName: null, extensions: null } }),
  'one operation of several': () => ({ body: { query: assessment, operationName: 'Two' } }),
  'the other operation': () => ({ body: { query: assessment, operationName: 'One', variables: { id: 'x' } } }),
  'by hash': () => ({ body: { documentId: `sha256:${hash}` } }),
  'by hash as Apollo does': () => ({ body: { extensions: { persistedQuery: { version: 1, sha256Hash: hash } } } }),
  'with the hash of another document': () => ({ body: { query: list, variables: { first: 2 }, documentId: hash } }),
  'a mutation that fails as data': () => ({ body: { query: 'mutation { updateAssessment(id: "no such", input: { name: "x" }) { __typename } }' } }),
  'accepting GraphQL responses': () => ({ body: { query: '{ __typename }' }, headers: { accept: 'application/graphql-response+json, application/json;q=0.9' } }),
  'accepting JSON first': () => ({ body: { query: '{ __typename }' }, headers: { accept: 'application/json, application/graphql-response+json' } }),
  'accepting everything': () => ({ body: { query: '{ __typename }' }, headers: { accept: 'text/html, */*' } }),
  'accepting streams as well': () => ({ body: { query: '{ __typename }' }, headers: { accept: 'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed' } }),
  'accepting nothing that there is': () => ({ body: { query: '{ __typename }' }, headers: { accept: 'text/html' } }),
  'from a page of another origin': () => ({ body: { query: '{ __typename }' }, headers: { origin: 'https://app.test' } }),
  'without the scope': () => ({ body: { query: list }, headers: { apikey: reader.key } }),
  'without the scope, accepting GraphQL responses': () => ({ body: { query: list }, headers: { apikey: reader.key, accept: 'application/graphql-response+json' } }),
  'that costs too much': () => ({ body: { query: list, variables: { first: 100 } } }),
  'with variables of another type': () => ({ body: { query: list, variables: { first: 'many' } } }),
  'with variables that are no object': () => ({ body: { query: list, variables: [1] } }),
  'with an operation that is not there': () => ({ body: { query: assessment, operationName: 'Three' } }),
  'without saying which of two operations': () => ({ body: { query: assessment } }),
  'with something that is no parameter': () => ({ body: { query: list, other: 1 } }),
  'that is not valid': () => ({ body: { query: '{ nothing }' } }),
  'that is no GraphQL': () => ({ body: { query: '{' } }),
  'that is no JSON': () => ({ body: '{' }),
  'of several operations': () => ({ body: [{ query: list }] }),
  'that is too long': () => ({ body: { query: list, variables: { unused: 'x'.repeat(3000) } } }),
  'that is no JSON by its type': () => ({ body: { query: list }, headers: { 'content-type': 'text/plain' } }),
  'without a credential': () => ({ body: { query: list }, headers: { apikey: randomUUID() } }),
}

describe.each<[string, Send]>([
  ['by node:http', overHttp],
  ['by fetch', overFetch],
])('%s', (_, send) => {
  test.each(Object.entries(requests))('%s', async (_, sent) => {
    current = createServer(options)
    const cold = comparable(await send(sent()))
    for (let time = 0; time < 2; time += 1) expect(comparable(await send(sent()))).toEqual(cold)
    // Yoga chooses the form of what is asked for by more than a type.
    const { headers, ...rest } = sent()
    if (!headers?.['accept']) expect(comparable(await send({ ...rest, headers: { ...headers, accept: 'application/json; charset=utf-8' } }))).toEqual(cold)
  })
})

test.each([{ 'content-length': 100 }, { 'transfer-encoding': 'chunked' }])('a client that leaves while it sends is no fault: %o', async (length) => {
  current = createServer(options)
  const before = lines.length
  const left = httpRequest(url, { method: 'POST', headers: { ...headersOf({}), ...length } })
  left.on('error', () => {})
  const closed = new Promise((resolve) => left.once('close', resolve))
  left.write('{', () => left.destroy())
  await closed
  await expect.poll(() => lines.slice(before).filter((line) => line.includes('"status":499'))).toHaveLength(1)
  expect(lines.slice(before).filter((line) => line.includes('unexpected error'))).toEqual([])
})

test('a client that meets a fault is told', async () => {
  current = createServer({ ...options, observers: [{ received: () => { throw new Error('a fault') } }] })
  const { status, body } = await overHttp({ body: { query: '{ viewer { scopes } }' } })
  expect(status).toBe(500)
  expect(body).toContain('INTERNAL_SERVER_ERROR')
  expect(lines.at(-2)).toContain('a fault')
  expect(lines.at(-1)).toContain('"status":500')
})

test.each([1, 65_536])('an answer with a text of %i characters, each of two bytes, arrives whole', async (length) => {
  current = createServer(options)
  const comment = 'é'.repeat(length)
  const { sourcedId } = await org.result({ comment })
  const send = () => overHttp({ body: { query: 'query ($id: ID!) { assessmentResult(sourcedId: $id) { comment } }', variables: { id: sourcedId } } })
  const cold = await send()
  const again = await send()
  expect(JSON.parse(again.body)).toMatchObject({ data: { assessmentResult: { comment } } })
  expect(comparable(again)).toEqual(comparable(cold))
  expect(Number(again.headers['content-length'])).toBe(Buffer.byteLength(again.body))
})

test('what costs too much has the name of its operation in the log', async () => {
  current = createServer(options)
  const send = (first: number) => overFetch({ body: { query: `query Named${list.slice('query'.length)}`, operationName: 'Named', variables: { first } } })
  await send(1)
  await send(100)
  const logged = lines.filter((line) => line.includes('"msg":"request"')).slice(-2)
  for (const line of logged) expect(line).toContain('"operationName":"Named"')
})

test('a request whose error Yoga puts into its form is counted, observed and logged once', async () => {
  const heard: string[] = []
  const observer = {
    received: () => void heard.push('received'),
    executing: () => void heard.push('executing'),
    failed: () => void heard.push('failed'),
    answered: () => void heard.push('answered'),
  }
  current = createServer({ ...options, observers: [observer], limits: { ...options.limits, rate: { ...limits.rate, perCredential: 2 } } })
  const other = await anOrganisation(['RECORDS_READ'])
  const statuses: number[] = []
  const before = lines.length
  for (let sent = 0; sent < 3; sent += 1) statuses.push((await overFetch({ body: { query: list }, headers: { apikey: other.key } })).status)
  expect(statuses).toEqual([200, 200, 429])
  const each = ['received', 'executing', 'failed', 'answered']
  expect(heard).toEqual([...each, ...each, 'received', 'answered'])
  expect(lines.slice(before).filter((line) => line.includes('"msg":"request"'))).toHaveLength(3)
})
