// What every federated gateway must make of the two subgraphs, whoever made it.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { dataOf, type HttpHeaders, request } from './client.js'
import { type Company, companiesSdl, startCompanies } from './companies.js'
import { assessmentsSdl, type Compose, composed } from './composition.js'
import type { Running } from './gateway.js'

/** The headers that carry credentials, which a federated gateway has to forward. */
export const credentialHeaders = ['authorization', 'apikey', 'x-api-key', 'x-session-token']

const credentials = inject('credentials')
export const withKey: HttpHeaders = { apikey: credentials.key }

const demo = z.object({
  assessments: z.object({
    nodes: z
      .array(z.object({ id: z.string(), name: z.string(), version: z.number(), entity: z.object({ id: z.string(), name: z.string() }) }))
      .min(2),
  }),
  users: z.object({ nodes: z.array(z.object({ sourcedId: z.string(), name: z.string() })).min(1) }),
})

/** An assessment and its entity, as the first subgraph has them, and a company that refers to both. */
export interface Linked {
  assessment: z.output<typeof demo>['assessments']['nodes'][number]
  contact: { sourcedId: string; name: string }
  company: Company
}

const UNKNOWN_ID = randomUUID()
const someText: unknown = expect.any(String)

async function linkDemoData(gatewayUrl: string): Promise<Linked> {
  const { assessments, users } = await dataOf(
    demo,
    gatewayUrl,
    withKey,
    `{
      assessments(filter: { status: [DRAFT], workflowState: [ACTIVE] }) { nodes { id name version entity { id name } } }
      users(filter: { sourcedId: "demo" }) { nodes { sourcedId name } }
    }`,
  )
  const [assessment] = assessments.nodes
  const [contact] = users.nodes
  if (!assessment || !contact) throw new Error('The demo data has changed: it has no draft or no demo user.')
  const company = {
    id: 'c1',
    name: 'Acme Holding',
    foundedAt: '1984-05-06T00:00:00.000Z',
    entityId: assessment.entity.id,
    assessmentIds: [assessment.id, UNKNOWN_ID],
    contactSourcedId: contact.sourcedId,
  }
  return { assessment, contact, company }
}

export interface Supergraph {
  readonly url: string
  readonly linked: Linked
}

/**
 * Starts both subgraphs and a federated gateway before the tests of a file, and declares the tests
 * that each gateway has to pass.
 *
 * @param start starts the federated gateway, given the supergraph's SDL
 */
export function describeSupergraph(name: string, compose: Compose, start: (supergraphSdl: string) => Promise<Running>): Supergraph {
  let linked: Linked | undefined
  let companies: Running | undefined
  let federated: Running | undefined

  beforeAll(async () => {
    const gatewayUrl = inject('gatewayUrl')
    linked = await linkDemoData(gatewayUrl)
    companies = await startCompanies([linked.company])
    const subgraphs = [
      { name: 'assessments', url: gatewayUrl, sdl: assessmentsSdl },
      { name: 'companies', url: companies.url, sdl: companiesSdl },
    ]
    federated = await start(composed(compose, subgraphs))
  })
  afterAll(async () => {
    await federated?.stop()
    await companies?.stop()
  })

  const supergraph: Supergraph = {
    get url() {
      if (!federated) throw new Error('The federated gateway has not started yet.')
      return federated.url
    },
    get linked() {
      if (!linked) throw new Error('The demo data has not been read yet.')
      return linked
    },
  }
  describe(name, () => declareTests(supergraph))
  return supergraph
}

const versioned = z.object({ assessment: z.object({ name: z.string(), version: z.number(), progress: z.number() }) })

/** The assessment as it is now: an earlier test may have changed it. */
export async function readAssessment({ url, linked }: Supergraph) {
  const { assessment } = await dataOf(
    versioned,
    url,
    withKey,
    'query ($id: ID!) { assessment(id: $id) { name version progress } }',
    { id: linked.assessment.id },
  )
  return { ...assessment, otherProgress: assessment.progress === 10 ? 20 : 10 }
}

const updateMutation = `mutation ($id: ID!, $expectedVersion: Int, $input: UpdateAssessmentInput!) {
  updateAssessment(id: $id, expectedVersion: $expectedVersion, input: $input) {
    __typename
    ... on UpdateAssessmentSuccess { assessment { version progress companyReport } }
    ... on ConflictError {
      expectedVersion actualVersion changedPaths
      current { version ... on Assessment { id name progress companyReport entity { company { name } } } }
    }
    ... on ValidationError { issues { path code } }
    ... on Error { message }
  }
}`

function declareTests(supergraph: Supergraph): void {
  const ask = (query: string, variables?: object, headers = withKey) => request(supergraph.url, headers, query, variables)

  test('one query joins both subgraphs', async () => {
    const { assessment, company } = supergraph.linked
    const { data, errors } = await ask('{ assessments(filter: { status: [DRAFT] }) { nodes { id name companyReport entity { name company { name } } } } }')

    expect(errors).toBeUndefined()
    const read = z.object({ assessments: z.object({ nodes: z.array(z.looseObject({ id: z.string(), entity: z.unknown() })) }) }).parse(data)
    const { version } = await readAssessment(supergraph)
    expect(read.assessments.nodes.find(({ id }) => id === assessment.id)).toEqual({
      id: assessment.id,
      name: assessment.name,
      companyReport: `Report on ${assessment.name}, version ${version}`,
      entity: { name: assessment.entity.name, company: { name: company.name } },
    })
    expect(read.assessments.nodes.map(({ entity }) => entity)).toContainEqual({ name: someText, company: null })
  })

  test('the other subgraph reaches entities of this one by each of their keys, and null for one that is not there', async () => {
    const { assessment, contact, company } = supergraph.linked
    // Hive adds an error for an entity that is not there; what it answers is the same.
    const { data } = await ask(`{
      companies {
        nodes { name foundedAt entity { name assessments(first: 0) { nodes { id } pageInfo { hasPreviousPage } } } assessments { name workflow { state } } contact { name } }
        pageInfo { hasNextPage }
      }
    }`)

    expect(data).toEqual({
      companies: {
        nodes: [
          {
            name: company.name,
            foundedAt: company.foundedAt,
            entity: { name: assessment.entity.name, assessments: { nodes: [], pageInfo: { hasPreviousPage: false } } },
            assessments: [{ name: assessment.name, workflow: { state: 'ACTIVE' } }, null],
            contact: { name: contact.name },
          },
        ],
        pageInfo: { hasNextPage: false },
      },
    })
  })

  test('a conflict tells the current row, joined, and what has changed; its version then wins', async () => {
    const { assessment, company } = supergraph.linked
    const { id } = assessment
    const { version, otherProgress: progress } = await readAssessment(supergraph)
    const first = await ask(updateMutation, { id, expectedVersion: version, input: { progress } })
    const late = await ask(updateMutation, { id, expectedVersion: version, input: { progress: 30 } })
    const retried = await ask(updateMutation, { id, expectedVersion: version + 1, input: { progress: 30 } })

    const companyReport = `Report on ${assessment.name}, version ${version + 1}`
    expect(first).toEqual({
      data: {
        updateAssessment: { __typename: 'UpdateAssessmentSuccess', assessment: { version: version + 1, progress, companyReport } },
      },
    })
    expect(late).toEqual({
      data: {
        updateAssessment: {
          __typename: 'ConflictError',
          message: someText,
          expectedVersion: version,
          actualVersion: version + 1,
          changedPaths: ['progress'],
          current: { version: version + 1, id, name: assessment.name, progress, companyReport, entity: { company: { name: company.name } } },
        },
      },
    })
    expect(retried).toMatchObject({ data: { updateAssessment: { assessment: { version: version + 2, progress: 30 } } } })
  })

  test('a conflict can be selected by its __typename alone', async () => {
    const { id } = supergraph.linked.assessment
    const stale = 'mutation ($id: ID!) { updateAssessment(id: $id, expectedVersion: 0, input: {}) { __typename } }'
    expect(await ask(stale, { id })).toEqual({ data: { updateAssessment: { __typename: 'ConflictError' } } })
  })

  test('a validation error of either subgraph is the same type', async () => {
    const { id } = supergraph.linked.assessment
    const { data, errors } = await ask(
      `mutation ($id: ID!) {
        updateAssessment(id: $id, input: { name: "", progress: 101 }) { ...issues }
        renameCompany(id: "c1", name: "") { ...issues }
      }
      fragment issues on ValidationError { __typename issues { path code } }`,
      { id },
    )

    expect(errors).toBeUndefined()
    expect(data).toEqual({
      updateAssessment: {
        __typename: 'ValidationError',
        issues: [
          { path: ['input', 'name'], code: 'TOO_SHORT' },
          { path: ['input', 'progress'], code: 'OUT_OF_RANGE' },
        ],
      },
      renameCompany: { __typename: 'ValidationError', issues: [{ path: ['name'], code: 'TOO_SHORT' }] },
    })
  })

  test.each<{ kind: string; headers: HttpHeaders }>([
    { kind: 'a key as apikey', headers: { apikey: credentials.key } },
    { kind: 'a key as X-API-Key', headers: { 'x-api-key': credentials.key } },
    { kind: 'a session token', headers: { 'x-session-token': credentials.sessionToken } },
    { kind: 'a JSON web token', headers: { authorization: `Bearer ${credentials.jsonWebToken}` } },
  ])('$kind proves the client through the gateway', async ({ headers }) => {
    const { id } = supergraph.linked.assessment
    const { version } = await readAssessment(supergraph)
    const stale = 'mutation ($id: ID!) { updateAssessment(id: $id, expectedVersion: 0, input: {}) { ... on ConflictError { actualVersion } } }'

    expect(await ask('{ viewer { user { subject } organisation { name } } }', undefined, headers)).toEqual({
      data: { viewer: { user: { subject: 'demo' }, organisation: { name: someText } } },
    })
    expect(await ask(stale, { id }, headers)).toEqual({ data: { updateAssessment: { actualVersion: version } } })
  })

  test.each<{ kind: string; headers: HttpHeaders }>([
    { kind: 'no credential', headers: {} },
    { kind: 'a wrong key', headers: { apikey: 'agk_wrong' } },
    { kind: 'two credentials', headers: { apikey: credentials.key, 'x-session-token': credentials.sessionToken } },
  ])('$kind is told as UNAUTHENTICATED, and what needs none is answered', async ({ headers }) => {
    const viewer = await ask('{ viewer { scopes } }', undefined, headers)
    expect(viewer.data?.['viewer'] ?? null).toBeNull()
    expect(viewer.errors?.map(({ extensions }) => extensions?.['code'])).toEqual(['UNAUTHENTICATED'])

    const { data } = await ask('{ companies { nodes { name contact { name } } } }', undefined, headers)
    expect(data).toEqual({ companies: { nodes: [{ name: supergraph.linked.company.name, contact: null }] } })
  })

  test.each([
    { way: 'as a field of Query', query: '{ assessments { totalCount } }' },
    { way: 'as an entity of the other subgraph', query: '{ companies { nodes { assessments { name } } } }' },
  ])('a missing scope is told with its name: $way', async ({ query }) => {
    const { data, errors } = await ask(query, undefined, { 'x-session-token': inject('narrowSessionToken') })
    const told = errors?.map(({ extensions }) => extensions)
    expect(told).toContainEqual(expect.objectContaining({ code: 'FORBIDDEN', requiredScope: 'ASSESSMENTS_READ' }))
    expect(JSON.stringify(data ?? null)).not.toContain(supergraph.linked.assessment.name)
  })

  test('organisations that ask the same at the same time each get their own', async () => {
    const keys = [credentials.key, inject('otherKey')]
    const query = '{ viewer { organisation { name } } assessments(first: 1) { nodes { id } } }'
    const ofEach = await Promise.all(keys.map((apikey) => ask(query, undefined, { apikey })))
    const together = await Promise.all(Array.from({ length: 20 }, (_, index) => ask(query, undefined, { apikey: keys[index % 2] ?? '' })))

    expect(ofEach[0]).not.toEqual(ofEach[1])
    expect(together).toEqual(together.map((_, index) => ofEach[index % 2]))
  })

  test('node and nodes, which name no subgraph, are not offered', async () => {
    const { errors } = await ask('query ($id: ID!) { node(id: $id) { id } }', { id: supergraph.linked.assessment.id })
    expect(errors?.map(({ message }) => message).join()).toContain('Cannot query field "node" on type "Query"')
  })
}
