// The clients that frontends use, with the documents and the types that GraphQL Code Generator writes for them.
import { ApolloClient, HttpLink, InMemoryCache } from '@apollo/client'
import { cacheExchange, type Resolver } from '@urql/exchange-graphcache'
import { Client, fetchExchange } from '@urql/core'
import { afterEach, beforeEach, describe, expect, inject, test, vi } from 'vitest'
import {
  AssessmentFieldsFragmentDoc,
  AssessmentListDocument,
  OneAssessmentDocument,
  SaveAssessmentDocument,
  VersionOfDocument,
} from './generated/documents/graphql.js'
import schema from './generated/introspection.js'
import possibleTypes from './generated/possible-types.js'
import {
  type AssessmentFieldsFragment,
  AssessmentListDocument as AssessmentListText,
  SaveAssessmentDocument as SaveAssessmentText,
  type TypedDocumentString,
} from './generated/texts/graphql.js'

const url = inject('gatewayUrl')
const headers = { apikey: inject('credentials').key }

/* ---- no cache at all: a typed fetch ------------------------------------------------------------ */

async function send<Result, Variables>(document: TypedDocumentString<Result, Variables>, variables: Variables): Promise<Result> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ query: document.toString(), variables }),
  })
  const body: unknown = await response.json()
  if (!answers(document, body)) throw new Error(`HTTP ${response.status}: ${JSON.stringify(body)}`)
  return body.data
}

/** The server answers a document as its schema says, which the document's types were made from. */
function answers<Result, Variables>(_document: TypedDocumentString<Result, Variables>, body: unknown): body is { data: Result } {
  return typeof body === 'object' && body !== null && 'data' in body && !('errors' in body)
}

/** Somebody else who saves an assessment, whatever its version. */
async function somebodyElseRenames({ id }: { id: string }, name: string): Promise<AssessmentFieldsFragment> {
  const { updateAssessment: answer } = await send(SaveAssessmentText, { id, input: { name } })
  if (answer?.__typename !== 'UpdateAssessmentSuccess') throw new Error(JSON.stringify(answer))
  return answer.assessment
}

test('a plain fetch reads, saves and learns from a conflict what the assessment is now', async () => {
  const { assessments } = await send(AssessmentListText, { first: 1 })
  const [read] = assessments.nodes
  if (!read) throw new Error('There is no demo assessment.')

  const saved = await send(SaveAssessmentText, { id: read.id, expectedVersion: read.version, input: { progress: 41 } })
  expect(saved.updateAssessment).toMatchObject({ __typename: 'UpdateAssessmentSuccess', assessment: { version: read.version + 1, progress: 41 } })

  const theirs = await somebodyElseRenames(read, `${read.name}, renamed`)
  const refused = await send(SaveAssessmentText, { id: read.id, expectedVersion: read.version + 1, input: { progress: 42 } })
  expect(refused.updateAssessment).toMatchObject({
    __typename: 'ConflictError',
    expectedVersion: read.version + 1,
    actualVersion: theirs.version,
    changedPaths: ['name'],
    current: { __typename: 'Assessment', ...theirs },
  })
})

/* ---- the clients with a cache ------------------------------------------------------------------ */

/** What both clients are asked to do; each keeps what it has read in its cache. */
interface CachingClient {
  list(first: number): Promise<AssessmentFieldsFragment[]>
  save(read: { id: string; version: number }, input: { name?: string; progress?: number }): Promise<SaveAnswer>
  /** Reads twice, and answers what the cache has alone: it has to know which types an interface can be. */
  versionOf(id: string): Promise<number | undefined>
  /** From the cache alone, by the assessment's id. */
  cached(id: string): AssessmentFieldsFragment | null
  /** The list that was read first, from the cache alone. */
  cachedList(first: number): AssessmentFieldsFragment[]
}

interface SaveAnswer {
  __typename: string
  changedPaths?: string[]
}

function apollo(): CachingClient {
  const cache = new InMemoryCache({ possibleTypes: possibleTypes.possibleTypes })
  const client = new ApolloClient({ cache, link: new HttpLink({ uri: url, headers }) })
  return {
    async list(first) {
      const { data } = await client.query({ query: AssessmentListDocument, variables: { first } })
      return data?.assessments.nodes ?? []
    },
    async save({ id, version }, input) {
      const { data } = await client.mutate({ mutation: SaveAssessmentDocument, variables: { id, expectedVersion: version, input } })
      if (!data?.updateAssessment) throw new Error('The answer is empty.')
      return data.updateAssessment
    },
    async versionOf(id) {
      await client.query({ query: VersionOfDocument, variables: { id } })
      const node = cache.readQuery({ query: VersionOfDocument, variables: { id } })?.node
      return node && 'version' in node ? node.version : undefined
    },
    cached: (id) => cache.readFragment({ id: `Assessment:${id}`, fragment: AssessmentFieldsFragmentDoc }),
    cachedList: (first) => cache.readQuery({ query: AssessmentListDocument, variables: { first } })?.assessments.nodes ?? [],
  }
}

function urql(): CachingClient {
  // These have no id: they are parts of the answer that holds them.
  const parts = ['AssessmentConnection', 'PageInfo', 'UpdateAssessmentSuccess', 'ConflictError', 'ValidationError', 'ValidationIssue']
  const keys = Object.fromEntries(parts.map((type) => [type, () => null]))
  // What a list or a conflict has brought need not be fetched again to be shown alone.
  const byId: Resolver = (_parent, { id }) => (typeof id === 'string' ? { __typename: 'Assessment', id } : null)
  const client = new Client({
    url,
    exchanges: [cacheExchange({ schema, keys, resolvers: { Query: { assessment: byId } } }), fetchExchange],
    fetchOptions: { headers },
    preferGetMethod: false,
  })
  return {
    async list(first) {
      const { data, error } = await client.query(AssessmentListDocument, { first }).toPromise()
      if (error) throw error
      return data?.assessments.nodes ?? []
    },
    async save({ id, version }, input) {
      const { data, error } = await client.mutation(SaveAssessmentDocument, { id, expectedVersion: version, input }).toPromise()
      if (error) throw error
      if (!data?.updateAssessment) throw new Error('The answer is empty.')
      return data.updateAssessment
    },
    async versionOf(id) {
      const { error } = await client.query(VersionOfDocument, { id }).toPromise()
      if (error) throw error
      const node = client.readQuery(VersionOfDocument, { id }, { requestPolicy: 'cache-only' })?.data?.node
      return node && 'version' in node ? node.version : undefined
    },
    cached: (id) => client.readQuery(OneAssessmentDocument, { id }, { requestPolicy: 'cache-only' })?.data?.assessment ?? null,
    cachedList: (first) =>
      client.readQuery(AssessmentListDocument, { first }, { requestPolicy: 'cache-only' })?.data?.assessments.nodes ?? [],
  }
}

describe.each([
  { name: 'Apollo Client', start: apollo, index: 1 },
  { name: 'urql with Graphcache', start: urql, index: 2 },
])('$name', ({ start, index }) => {
  const warnings = vi.fn()
  beforeEach(() => {
    warnings.mockClear()
    for (const method of ['warn', 'error'] as const) vi.spyOn(console, method).mockImplementation(warnings)
  })
  afterEach(() => {
    // A cache tells by a warning that it cannot keep what it was given.
    expect(warnings.mock.calls).toEqual([])
    vi.restoreAllMocks()
  })

  /** An assessment that this client has read, and that no other test writes to. */
  async function reader() {
    const client = start()
    const read = (await client.list(4))[index]
    if (!read) throw new Error('There are too few demo assessments.')
    return { client, read }
  }

  test('shows what it has saved wherever it has shown it before', async () => {
    const { client, read } = await reader()
    const answer = await client.save(read, { progress: 43 })
    expect(answer.__typename).toBe('UpdateAssessmentSuccess')
    expect(client.cachedList(4)[index]).toMatchObject({ id: read.id, version: read.version + 1, progress: 43 })
  })

  test('reads an interface from its cache', async () => {
    const { client, read } = await reader()
    expect(await client.versionOf(read.id)).toBe(read.version)
  })

  test('has in its cache after a conflict what the assessment is now', async () => {
    const { client, read } = await reader()
    const theirs = await somebodyElseRenames(read, `${read.name}, renamed`)
    expect(client.cachedList(4)[index]).toMatchObject({ id: read.id, version: read.version, name: read.name })

    const answer = await client.save(read, { progress: 44 })
    expect(answer).toMatchObject({ __typename: 'ConflictError', changedPaths: ['name'] })
    expect(client.cachedList(4)[index]).toMatchObject(theirs)
    expect(client.cached(read.id)).toMatchObject(theirs)

    // Nobody has changed the progress, so that the same save goes through with the version in the cache.
    const again = await client.save({ id: read.id, version: client.cached(read.id)?.version ?? 0 }, { progress: 44 })
    expect(again.__typename).toBe('UpdateAssessmentSuccess')
    expect(client.cached(read.id)).toMatchObject({ name: `${read.name}, renamed`, version: theirs.version + 1, progress: 44 })
  })
})
