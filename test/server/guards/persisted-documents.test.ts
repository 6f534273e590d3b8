// Documents that clients name by their hash, as a file of any code generator spells it.
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type PersistedDocuments, readPersistedDocuments } from '../../../src/server/guards/persisted-documents.js'
import { createServer } from '../../../src/server/server.js'
import { StartError } from '../../../src/process/start-error.js'
import { dependencies } from '../../gateway.js'
import { anOrganisation } from '../../story.js'

const hashOf = (document: string) => createHash('sha256').update(document).digest('hex')

const PREFIXED = 'query Prefixed { viewer { organisation { id } } }'
const BARE = 'query Bare { viewer { organisation { id } } }'
const OTHER = '{ viewer { organisation { id } } }'

let directory = ''
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'persisted-documents-'))
})
afterAll(async () => {
  await rm(directory, { recursive: true })
})

async function fileOf(content: string): Promise<string> {
  const file = join(directory, `${hashOf(content)}.json`)
  await writeFile(file, content)
  return file
}

/** What a file holds whose keys are written in both ways. */
async function documents(only: boolean): Promise<PersistedDocuments> {
  const content = { [`sha256:${hashOf(PREFIXED)}`]: PREFIXED, [hashOf(BARE)]: BARE }
  return readPersistedDocuments(await fileOf(JSON.stringify(content)), only)
}

const answer = z.object({
  data: z.object({ viewer: z.object({ organisation: z.object({ id: z.string() }) }) }).optional(),
  errors: z.array(z.object({ extensions: z.object({ code: z.string() }) })).optional(),
})

/** Sends a body as somebody of a new organisation: whether that organisation is read, or the code of the refusal. */
async function send(persistedDocuments: PersistedDocuments | undefined, body: object) {
  const org = await anOrganisation()
  const server = createServer({ ...dependencies, ...(persistedDocuments && { persistedDocuments }) })
  const response = await server.fetch('http://gateway.test/graphql', {
    method: 'POST',
    headers: { apikey: org.key, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const { data, errors } = answer.parse(await response.json())
  return { status: response.status, outcome: data ? data.viewer.organisation.id === org.id : errors?.[0]?.extensions.code }
}

const byApollo = (sha256Hash: string) => ({ extensions: { persistedQuery: { version: 1, sha256Hash } } })
const read = { status: 200, outcome: true }
const refusedAs = (outcome: string) => ({ status: 400, outcome })

const files = [
  { key: 'sha256: in front', hash: hashOf(PREFIXED) },
  { key: 'nothing in front', hash: hashOf(BARE) },
]
const requests = [
  { by: 'documentId with sha256:', bodyOf: (hash: string) => ({ documentId: `sha256:${hash}` }) },
  { by: 'documentId without it', bodyOf: (hash: string) => ({ documentId: hash }) },
  { by: 'Apollo’s extension with sha256:', bodyOf: (hash: string) => byApollo(`sha256:${hash}`) },
  { by: 'Apollo’s extension without it', bodyOf: byApollo },
]

describe.each([
  { mode: 'beside all others', only: false },
  { mode: 'and no others', only: true },
])('known documents, $mode', ({ only }) => {
  describe.each(files)('written with $key', ({ hash }) => {
    test.each(requests)('are executed by $by', async ({ bodyOf }) => {
      expect(await send(await documents(only), bodyOf(hash))).toEqual(read)
    })
  })

  test.each(requests)('do not answer an unknown hash, sent by $by', async ({ by, bodyOf }) => {
    // Clients of Apollo then send the document, where they may.
    const expected = !only && by.startsWith('Apollo') ? { status: 200, outcome: 'PERSISTED_QUERY_NOT_SUPPORTED' } : refusedAs('PERSISTED_DOCUMENT_NOT_FOUND')
    expect(await send(await documents(only), bodyOf(hashOf(OTHER)))).toEqual(expected)
  })

  test('are not registered by sending them with their hash', async () => {
    const known = await documents(only)
    await send(known, { query: OTHER, ...byApollo(hashOf(OTHER)) })
    expect(await send(known, { documentId: hashOf(OTHER) })).toEqual(refusedAs('PERSISTED_DOCUMENT_NOT_FOUND'))
  })
})

test.each([
  ['without any', undefined],
  ['beside known ones', { documents: new Map(), only: false }],
])('%s, a hash is not supported, and a request of nothing is a bad one', async (_, known) => {
  expect(await send(known, byApollo(hashOf(OTHER)))).toEqual({ status: 200, outcome: 'PERSISTED_QUERY_NOT_SUPPORTED' })
  expect(await send(known, { documentId: hashOf(OTHER) })).toEqual(refusedAs('PERSISTED_DOCUMENT_NOT_FOUND'))
  for (const nothing of [{}, { query: null }, { query: '' }, { variables: {} }]) expect(await send(known, nothing)).toEqual(refusedAs('BAD_REQUEST'))
})

describe('a document sent in full', () => {
  test('is executed as before where the known ones are not the only ones', async () => {
    expect(await send(await documents(false), { query: OTHER })).toEqual(read)
    expect(await send(await documents(false), { query: BARE })).toEqual(read)
  })

  test('is refused where they are, though it is a known one', async () => {
    expect(await send(await documents(true), { query: OTHER })).toEqual(refusedAs('PERSISTED_DOCUMENT_ONLY'))
    expect(await send(await documents(true), { query: BARE })).toEqual(refusedAs('PERSISTED_DOCUMENT_ONLY'))
  })

  test('is executed without a file of documents, with a hash that nobody asks for beside it', async () => {
    expect(await send(undefined, { query: OTHER })).toEqual(read)
    expect(await send(undefined, { query: OTHER, ...byApollo(hashOf(BARE)) })).toEqual(read)
  })
})

test.each([
  { what: 'is not there', content: undefined },
  { what: 'is no JSON', content: '{' },
  { what: 'is a list', content: '[]' },
  { what: 'holds something else than texts', content: '{"sha256:00": {}}' },
])('a file that $what stops the start with a sentence', async ({ content }) => {
  const file = content === undefined ? join(directory, 'missing.json') : await fileOf(content)
  await expect(readPersistedDocuments(file, false)).rejects.toThrow(StartError)
  await expect(readPersistedDocuments(file, false)).rejects.toThrow(file)
})
