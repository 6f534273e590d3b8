// The short way of documents that were executed before answers exactly what Yoga answers.
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, request as httpRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import pino from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createServer } from '../../src/server.js'
import { dependencies, limits } from '../gateway.js'
import { anOrganisation, type Story } from '../story.js'

const lines: string[] = []
const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) })
const byHash = '{ viewer { scopes organisation { name } } }'
const hash = createHash('sha256').update(byHash).digest('hex')
const persistedDocuments = { documents: new Map([[hash, byHash]]), only: false }
const options = { ...dependencies, log, persistedDocuments, corsOrigins: ['https://app.test'], limits: { ...limits, cost: 50, bodyBytes: 2000 } }

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

/** Whether Yoga looked at the request that `send` sends. */
async function isYogas(send: () => Promise<unknown>): Promise<boolean> {
  const before = lines.length
  await send()
  return lines.slice(before).some((line) => line.includes('Parsing request to extract GraphQL parameters'))
}

const assessment = 'query One($id: ID!) { assessment(id: $id) { id name } } query Two { __typename }'
const list = 'query ($first: Int) { assessments(first: $first) { nodes { id } totalCount } }'

/** What is sent, and whether Yoga has to parse it each time. */
const requests: Record<string, { sent: () => Sent; parsedByYoga: boolean }> = {
  'a query': { sent: () => ({ body: { query: '{ viewer { scopes } }' } }), parsedByYoga: false },
  'a query with variables': { sent: () => ({ body: { query: list, variables: { first: 3 } } }), parsedByYoga: false },
  'without variables and operation name': { sent: () => ({ body: { query: list, variables: null, operationName: null, extensions: null } }), parsedByYoga: false },
  'one operation of several': { sent: () => ({ body: { query: assessment, operationName: 'Two' } }), parsedByYoga: false },
  'the other operation': { sent: () => ({ body: { query: assessment, operationName: 'One', variables: { id: 'x' } } }), parsedByYoga: false },
  'by hash': { sent: () => ({ body: { documentId: `sha256:${hash}` } }), parsedByYoga: false },
  'by hash as Apollo does': { sent: () => ({ body: { extensions: { persistedQuery: { version: 1, sha256Hash: hash } } } }), parsedByYoga: false },
  'with the hash of another document': { sent: () => ({ body: { query: list, variables: { first: 2 }, documentId: hash } }), parsedByYoga: true },
  'a mutation that fails as data': {
    sent: () => ({ body: { query: 'mutation { updateAssessment(id: "no such", input: { name: "x" }) { __typename } }' } }),
    parsedByYoga: false,
  },
  'accepting GraphQL responses': { sent: () => ({ body: { query: '{ __typename }' }, headers: { accept: 'application/graphql-response+json, application/json;q=0.9' } }), parsedByYoga: false },
  'accepting JSON first': { sent: () => ({ body: { query: '{ __typename }' }, headers: { accept: 'application/json, application/graphql-response+json' } }), parsedByYoga: false },
  'accepting everything': { sent: () => ({ body: { query: '{ __typename }' }, headers: { accept: 'text/html, */*' } }), parsedByYoga: false },
  'accepting streams as well': {
    sent: () => ({ body: { query: '{ __typename }' }, headers: { accept: 'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed' } }),
    parsedByYoga: false,
  },
  'accepting nothing that there is': { sent: () => ({ body: { query: '{ __typename }' }, headers: { accept: 'text/html' } }), parsedByYoga: true },
  'from a page of another origin': { sent: () => ({ body: { query: '{ __typename }' }, headers: { origin: 'https://app.test' } }), parsedByYoga: true },
  'without the scope': { sent: () => ({ body: { query: list }, headers: { apikey: reader.key } }), parsedByYoga: true },
  'without the scope, accepting GraphQL responses': { sent: () => ({ body: { query: list }, headers: { apikey: reader.key, accept: 'application/graphql-response+json' } }), parsedByYoga: true },
  'that costs too much': { sent: () => ({ body: { query: list, variables: { first: 100 } } }), parsedByYoga: true },
  'with variables of another type': { sent: () => ({ body: { query: list, variables: { first: 'many' } } }), parsedByYoga: true },
  'with variables that are no object': { sent: () => ({ body: { query: list, variables: [1] } }), parsedByYoga: true },
  'with an operation that is not there': { sent: () => ({ body: { query: assessment, operationName: 'Three' } }), parsedByYoga: true },
  'without saying which of two operations': { sent: () => ({ body: { query: assessment } }), parsedByYoga: true },
  'with something that is no parameter': { sent: () => ({ body: { query: list, other: 1 } }), parsedByYoga: true },
  'that is not valid': { sent: () => ({ body: { query: '{ nothing }' } }), parsedByYoga: true },
  'that is no GraphQL': { sent: () => ({ body: { query: '{' } }), parsedByYoga: true },
  'that is no JSON': { sent: () => ({ body: '{' }), parsedByYoga: true },
  'of several operations': { sent: () => ({ body: [{ query: list }] }), parsedByYoga: true },
  'that is too long': { sent: () => ({ body: { query: list, variables: { unused: 'x'.repeat(3000) } } }), parsedByYoga: true },
  'that is no JSON by its type': { sent: () => ({ body: { query: list }, headers: { 'content-type': 'text/plain' } }), parsedByYoga: false },
  'without a credential': { sent: () => ({ body: { query: list }, headers: { apikey: randomUUID() } }), parsedByYoga: false },
}

describe.each<[string, Send]>([
  ['by node:http', overHttp],
  ['by fetch', overFetch],
])('%s', (_, send) => {
  test.each(Object.keys(requests))('%s', async (name) => {
    const { sent, parsedByYoga } = requests[name] ?? { sent: () => ({ body: '' }), parsedByYoga: true }
    current = createServer(options)
    // What makes the list's documents known, whatever the request itself does.
    for (const query of [list, assessment]) await send({ body: { query, operationName: query === assessment ? 'Two' : null, variables: { first: 1 } } })
    const known = current
    current = createServer(options)
    const cold = await send(sent())
    current = known
    await send(sent())
    const again = await send(sent())
    expect(comparable(again)).toEqual(comparable(cold))
    expect(await isYogas(() => send(sent()))).toBe(parsedByYoga)
  })
})

test('a document is executed once by Yoga, and only then the short way', async () => {
  current = createServer(options)
  const send = () => overFetch({ body: { query: '{ viewer { scopes } }' } })
  expect(await isYogas(send)).toBe(true)
  expect(await isYogas(send)).toBe(false)
})

test('where no page of another origin may read, a page of this one goes the short way', async () => {
  current = createServer({ ...options, corsOrigins: [] })
  const send = () => overFetch({ body: { query: '{ viewer { scopes } }' }, headers: { origin: 'http://gateway.test' } })
  await send()
  expect(await isYogas(send)).toBe(false)
})

test('a client that leaves while it sends is no fault, and one that meets a fault is told', async () => {
  current = createServer(options)
  const left = httpRequest(url, { method: 'POST', headers: { ...headersOf({}), 'content-length': 100 } })
  left.on('error', () => {})
  const closed = new Promise((resolve) => left.once('close', resolve))
  left.write('{', () => left.destroy())
  await closed
  const before = lines.length
  await overHttp({ body: { query: '{ viewer { scopes } }' } })
  expect(lines.slice(before).filter((line) => line.includes('unexpected error'))).toEqual([])
  expect(lines.filter((line) => line.includes('"status":499'))).toHaveLength(1)
  current = createServer({ ...options, observers: [{ received: () => { throw new Error('a fault') } }] })
  const { status, body } = await overHttp({ body: { query: '{ viewer { scopes } }' } })
  expect(status).toBe(500)
  expect(body).toContain('INTERNAL_SERVER_ERROR')
  expect(lines.at(-1)).toContain('a fault')
})

test.each([1, 65_536])('an answer with a text of %i characters, each of two bytes, arrives whole', async (length) => {
  current = createServer(options)
  const comment = 'é'.repeat(length)
  const { sourcedId } = await org.result({ comment })
  const send = () => overHttp({ body: { query: 'query ($id: ID!) { assessmentResult(sourcedId: $id) { comment } }', variables: { id: sourcedId } } })
  const cold = await send()
  const hot = await send()
  expect(JSON.parse(hot.body)).toMatchObject({ data: { assessmentResult: { comment } } })
  expect(comparable(hot)).toEqual(comparable(cold))
  expect(Number(hot.headers['content-length'])).toBe(Buffer.byteLength(hot.body))
  expect(await isYogas(send)).toBe(false)
})

test('what costs too much has the name of its operation in the log', async () => {
  current = createServer(options)
  const send = (first: number) => overFetch({ body: { query: `query Named${list.slice('query'.length)}`, operationName: 'Named', variables: { first } } })
  await send(1)
  await send(100)
  const logged = lines.filter((line) => line.includes('"msg":"request"')).slice(-2)
  for (const line of logged) expect(line).toContain('"operationName":"Named"')
})

test('with only known documents, no other one goes the short way', async () => {
  const documents = { documents: new Map([[hash, byHash]]), only: true }
  current = createServer({ ...options, persistedDocuments: documents })
  await overFetch({ body: { documentId: hash } })
  const answer = await overFetch({ body: { query: byHash } })
  expect(answer.status).toBe(400)
  expect(answer.body).toContain('PERSISTED_DOCUMENT_ONLY')
  const both = await overFetch({ body: { query: byHash, documentId: hash } })
  expect(both.body).toContain('PERSISTED_DOCUMENT_ONLY')
  expect(await isYogas(() => overFetch({ body: { documentId: hash } }))).toBe(false)
})

test('a request that is handed over is counted, observed and logged once', async () => {
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
  // The second is executed the short way, and handed over for its error.
  for (let sent = 0; sent < 3; sent += 1) statuses.push((await overFetch({ body: { query: list }, headers: { apikey: other.key } })).status)
  expect(statuses).toEqual([200, 200, 429])
  const each = ['received', 'executing', 'failed', 'answered']
  expect(heard).toEqual([...each, ...each, 'received', 'answered'])
  expect(lines.slice(before).filter((line) => line.includes('"msg":"request"'))).toHaveLength(3)
})
