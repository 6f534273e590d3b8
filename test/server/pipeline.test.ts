// Every guard stands in the way of every request, by node:http and by fetch, in whatever form, and however often its document has come.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import type { Plugin } from 'graphql-yoga'
import pino from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createServer, type ServerDependencies } from '../../src/server/server.js'
import { dependencies, limits } from '../gateway.js'
import { anOrganisation, type Story } from '../story.js'

let org: Story
let url = ''
let current: ReturnType<typeof createServer>
const http = createHttpServer((incoming, response) => current.listener(incoming, response))
beforeAll(async () => {
  org = await anOrganisation()
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const address = http.address()
  if (typeof address === 'object' && address) url = `http://127.0.0.1:${address.port}/graphql`
})
afterAll(() => http.close())

/** What is asked for, with what differs from a good request. */
interface Asked {
  query: string
  variables?: object
  apikey?: string
  contentType?: string
  /** Instead of what is asked for. */
  body?: string
}
type Way = (asked: Asked, fetch: typeof globalThis.fetch) => Promise<Response>

const credentialOf = ({ apikey = org.key }: Asked): Record<string, string> => (apikey === '' ? {} : { apikey })

const posted =
  (accept?: string): Way =>
  (asked, fetch) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': asked.contentType ?? 'application/json', ...(accept !== undefined && { accept }), ...credentialOf(asked) },
      body: asked.body ?? JSON.stringify({ query: asked.query, variables: asked.variables }),
    })

const got =
  (headers: Record<string, string>): Way =>
  (asked, fetch) =>
    fetch(`${url}?${new URLSearchParams({ query: asked.query, variables: JSON.stringify(asked.variables ?? {}) }).toString()}`, { headers: { ...headers, ...credentialOf(asked) } })

/** POST is the first ones. */
const ways: Record<string, Way> = {
  'POST': posted(),
  'POST for GraphQL’s own type': posted('application/graphql-response+json'),
  'POST in a form that Yoga chooses': posted('application/json; charset=utf-8'),
  'POST for an event stream': posted('text/event-stream'),
  'GET': got({ 'apollo-require-preflight': 'true' }),
  'GET for an event stream': got({ accept: 'text/event-stream' }),
}
const transports: Record<string, () => typeof globalThis.fetch> = {
  'node:http': () => globalThis.fetch,
  'fetch': () => (input, init) => current.fetch(input instanceof Request ? input.url : input, init),
}

const query = '{ viewer { scopes } }'
const known = createHash('sha256').update(query).digest('hex')
const never = new Promise<never>(() => {})

interface Guarded {
  with?: Partial<ServerDependencies>
  asked: Partial<Asked>
  /** What the answer says. */
  says: string
  /** Requests that are sent at once, of which a rate limit refuses some; one, unless told otherwise. */
  atOnce?: number
  only?: (way: string, transport: string) => boolean
}

const isPost = (way: string) => way.startsWith('POST')
const limited = (changed: Partial<ServerDependencies['limits']>) => ({ limits: { ...limits, ...changed } })

const guards: Record<string, Guarded> = {
  'address rate': { with: limited({ rate: { ...limits.rate, perAddress: 2 } }), asked: {}, says: 'TOO_MANY_REQUESTS', atOnce: 20, only: (_, transport) => transport === 'node:http' },
  'credential': { asked: { apikey: '' }, says: 'UNAUTHENTICATED' },
  'credential rate': { with: limited({ rate: { ...limits.rate, perCredential: 2 } }), asked: {}, says: 'TOO_MANY_REQUESTS', atOnce: 20 },
  'cross-site': { asked: { contentType: 'text/plain' }, says: 'UNSUPPORTED_MEDIA_TYPE', only: isPost },
  'length of the body': { with: limited({ bodyBytes: 100 }), asked: { variables: { unused: 'x'.repeat(200) } }, says: 'PAYLOAD_TOO_LARGE', only: isPost },
  'form of the body': { asked: { body: '[]' }, says: 'BAD_REQUEST', only: isPost },
  'persisted documents': { with: { persistedDocuments: { documents: new Map([[known, query]]), only: true } }, asked: {}, says: 'PERSISTED_DOCUMENT_ONLY' },
  'document limits': { with: limited({ document: { ...limits.document, aliases: 1 } }), asked: { query: '{ a: __typename b: __typename }' }, says: '"limit":"aliases"' },
  'hidden schema': { with: { introspection: false }, asked: { query: '{ __schema { queryType { name } } }' }, says: 'introspection has been disabled' },
  'names in a hidden schema': { with: { introspection: false }, asked: { query: '{ viewerr }' }, says: 'Cannot query field \\"viewerr\\" on type \\"Query\\"."' },
  'cost': { with: limited({ cost: 5 }), asked: { query: 'query ($first: Int) { assessments(first: $first) { nodes { id } } }', variables: { first: 50 } }, says: '"limit":"cost"' },
  'deadline': {
    with: { ...limited({ operationTimeoutMs: 1 }), execution: { onExecute: ({ setExecuteFn }) => setExecuteFn(() => never) } },
    asked: {},
    says: '"code":"TIMEOUT"',
  },
}

describe.each(Object.entries(guards))('%s', (_, { with: changed, asked, says, atOnce = 1, only = () => true }) => {
  const cases = Object.keys(transports).flatMap((transport) => Object.keys(ways).flatMap((way) => (only(way, transport) ? [[transport, way] as const] : [])))
  test.each(cases)('%s, %s', async (transport, way) => {
    current = createServer({ ...dependencies, ...changed })
    const send = async () => (await ways[way]?.({ query, ...asked }, transports[transport]?.() ?? fetch))?.text()
    // Whether a document is new or known makes no difference.
    for (let time = 0; time < 2; time += 1) expect(await Promise.all(Array.from({ length: atOnce }, send))).toContainEqual(expect.stringContaining(says))
    await current.dispose()
  })
})

describe('each request is logged, observed and told its cost once', () => {
  test.each(Object.keys(transports).flatMap((transport) => Object.keys(ways).map((way) => [transport, way] as const)))('%s, %s', async (transport, way) => {
    const heard: string[] = []
    const lines: string[] = []
    const note = (what: string) => () => void heard.push(what)
    const observers = [{ received: note('received'), executing: note('executing'), failed: note('failed'), answered: note('answered') }]
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) })
    current = createServer({ ...dependencies, observers, log })
    for (let time = 0; time < 2; time += 1) {
      const response = await ways[way]?.({ query }, transports[transport]?.() ?? fetch)
      expect(await response?.text()).toContain('"cost":{"requested":2')
    }
    expect(heard).toEqual(['received', 'executing', 'answered', 'received', 'executing', 'answered'])
    expect(lines.map((line) => line.includes('"msg":"request"'))).toEqual([true, true])
  })
})

describe('a plugin of Yoga’s sees the request as the client sent it', () => {
  test.each(Object.keys(transports).flatMap((transport) => Object.keys(ways).map((way) => [transport, way] as const)))('%s, %s', async (transport, way) => {
    const seen: unknown[] = []
    const execution: Plugin = {
      onParams({ request }) {
        const { method, url: address, headers } = request
        seen.push(method, new URL(address).pathname, headers.get('apikey'), new Map(headers).get('apikey'), 'signal' in request)
      },
    }
    current = createServer({ ...dependencies, execution })
    await (await ways[way]?.({ query }, transports[transport]?.() ?? fetch))?.text()
    expect(seen).toEqual([way.slice(0, 4).trim(), '/graphql', org.key, org.key, true])
  })
})
