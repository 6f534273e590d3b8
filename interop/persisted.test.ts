// Persisted documents: what a frontend's code generator has written is executed by its hash.
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client'
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { persistedDocuments, type RunningGateway, startGateway } from './gateway.js'
import { AssessmentListDocument } from './generated/documents/graphql.js'

const DOCUMENT_ONLY = { status: 400, code: 'PERSISTED_DOCUMENT_ONLY' }
const NOT_FOUND = { status: 400, code: 'PERSISTED_DOCUMENT_NOT_FOUND' }

const answer = z.object({
  data: z.object({ assessments: z.object({ nodes: z.array(z.unknown()) }) }).optional(),
  errors: z.array(z.object({ extensions: z.object({ code: z.string() }) })).optional(),
})

async function post({ url, key }: { url: string; key: string }, body: object) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { apikey: key, 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, variables: { first: 1 } }),
  })
  const { data, errors } = answer.parse(await response.json())
  return { status: response.status, ...(data && { read: data.assessments.nodes.length }), ...(errors && { code: errors[0]?.extensions.code }) }
}

const meta = z.object({ __meta__: z.object({ hash: z.string() }) })

/** The id that the code generator has given a document. */
function idOf(document: object): string {
  return meta.parse(document).__meta__.hash
}

/** A frontend of Apollo Client that sends its documents by their hash. */
function apollo({ url, key }: { url: string; key: string }) {
  const persisted = new PersistedQueryLink({ generateHash: (document) => idOf(document) })
  return new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.from([persisted, new HttpLink({ uri: url, headers: { apikey: key } })]),
  })
}

const id = idOf(AssessmentListDocument)
const hash = id.replace(/^sha256:/, '')
const byApollo = (sha256Hash: string) => ({ extensions: { persistedQuery: { version: 1, sha256Hash } } })
const unknownHash = createHash('sha256').update('{ unknown }').digest('hex')

const known = [
  { by: 'documentId with its algorithm, as the code generator wrote it', body: { documentId: id } },
  { by: 'documentId without its algorithm', body: { documentId: hash } },
  { by: 'Apollo’s extension with the algorithm', body: byApollo(id) },
  { by: 'Apollo’s extension', body: byApollo(hash) },
]
const unknown = [
  { by: 'documentId', body: { documentId: `sha256:${unknownHash}` } },
  { by: 'Apollo’s extension', body: byApollo(unknownHash) },
]
const read = { status: 200, read: 1 }

async function fullDocument(): Promise<string> {
  const documents = z.record(z.string(), z.string()).parse(JSON.parse(await readFile(persistedDocuments, 'utf8')))
  const text = documents[id]
  if (text === undefined) throw new Error(`persisted-documents.json does not hold ${id}.`)
  return text
}

describe('with PERSISTED_DOCUMENTS and PERSISTED_DOCUMENTS_ONLY', () => {
  let gateway: RunningGateway | undefined
  let dataDirectory = ''
  beforeAll(async () => {
    dataDirectory = await mkdtemp(join(tmpdir(), 'assessment-gateway-persisted-'))
    gateway = await startGateway({ DATA_DIR: dataDirectory, PERSISTED_DOCUMENTS: persistedDocuments, PERSISTED_DOCUMENTS_ONLY: 'true' })
  })
  afterAll(async () => {
    await gateway?.stop()
    await rm(dataDirectory, { recursive: true })
  })
  function started() {
    if (!gateway) throw new Error('The gateway has not started.')
    return { url: gateway.url, key: gateway.demoKeys[0] }
  }

  test.each(known)('a known document is executed, by $by', async ({ body }) => {
    expect(await post(started(), body)).toEqual(read)
  })

  test.each(unknown)('an unknown hash is refused, by $by', async ({ body }) => {
    expect(await post(started(), body)).toEqual(NOT_FOUND)
  })

  test('a full document is refused, even a known one', async () => {
    expect(await post(started(), { query: '{ assessments(first: 1) { nodes { id } } }' })).toEqual(DOCUMENT_ONLY)
    expect(await post(started(), { query: await fullDocument() })).toEqual(DOCUMENT_ONLY)
  })

  test('a full document is refused with a hash beside it too, known or not', async () => {
    const query = '{ assessments(first: 2) { nodes { name } } }'
    for (const hashed of [...known, ...unknown]) {
      expect(await post(started(), { query, ...hashed.body }), hashed.by).toEqual(DOCUMENT_ONLY)
    }
  })

  test('Apollo Client reads by the hash alone', async () => {
    const { data } = await apollo(started()).query({ query: AssessmentListDocument, variables: { first: 1 } })
    expect(data?.assessments.nodes).toHaveLength(1)
  })
})

describe('with PERSISTED_DOCUMENTS alone', () => {
  const gateway = { url: inject('gatewayUrl'), key: inject('credentials').key }

  test.each(known)('a known document is executed, by $by', async ({ body }) => {
    expect(await post(gateway, body)).toEqual(read)
  })

  test('an unknown hash is refused', async () => {
    expect(await post(gateway, { documentId: `sha256:${unknownHash}` })).toEqual(NOT_FOUND)
    expect(await post(gateway, byApollo(unknownHash))).toEqual({ status: 200, code: 'PERSISTED_QUERY_NOT_SUPPORTED' })
  })

  test('Apollo Client’s automatic persisted queries send the document of an unknown hash, and from then on all documents', async () => {
    const sent: unknown[] = []
    const counting: typeof fetch = (input, init) => {
      sent.push(JSON.parse(String(init?.body)))
      return fetch(input, init)
    }
    const hashing = new PersistedQueryLink({ sha256: (text) => createHash('sha256').update(text).digest('hex') })
    const client = new ApolloClient({
      cache: new InMemoryCache(),
      link: ApolloLink.from([hashing, new HttpLink({ uri: gateway.url, headers: { apikey: gateway.key }, fetch: counting })]),
    })
    for (const first of [1, 2]) {
      const { data } = await client.query({ query: gql`query Names($first: Int) { assessments(first: $first) { nodes { id name } } }`, variables: { first } })
      expect(z.object({ assessments: z.object({ nodes: z.array(z.unknown()).length(first) }) }).safeParse(data).error).toBeUndefined()
    }
    expect(sent.map((body) => z.looseObject({ query: z.string().optional() }).parse(body).query !== undefined)).toEqual([false, true, true])
  })

  test('a full document is executed too', async () => {
    expect(await post(gateway, { query: '{ assessments(first: 1) { nodes { id } } }' })).toEqual(read)
  })
})
