// Relay: its compiler over the schema as it is served, and its runtime over what the compiler writes.
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { buildClientSchema, getIntrospectionQuery, type IntrospectionQuery, printSchema } from 'graphql'
import {
  type ConcreteRequest,
  createOperationDescriptor,
  Environment,
  fetchQuery,
  getSingularSelector,
  type GraphQLResponse,
  Network,
  type OperationType,
  type ReaderFragment,
  RecordSource,
  Store,
} from 'relay-runtime'
import { expect, inject, test } from 'vitest'
import { z } from 'zod'
import { dataOf } from './client.js'
import item from './relay/__generated__/assessments_item.graphql.js'
import list from './relay/__generated__/assessments_list.graphql.js'
import nextPageQuery, { type assessmentsNextPageQuery } from './relay/__generated__/assessmentsNextPageQuery.graphql.js'
import firstPageQuery, { type assessmentsQuery } from './relay/__generated__/assessmentsQuery.graphql.js'
import refetchQuery, { type assessmentsRefetchQuery } from './relay/__generated__/assessmentsRefetchQuery.graphql.js'

const url = inject('gatewayUrl')
const headers = { apikey: inject('credentials').key }

/* ---- the compiler ------------------------------------------------------------------------------ */

const introspection = z.custom<IntrospectionQuery>((value) => z.object({ __schema: z.object({}) }).safeParse(value).success)

test('the compiler takes the schema as it is served, and writes the same from the published one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'relay-'))
  const served = buildClientSchema(await dataOf(introspection, url, headers, getIntrospectionQuery()))
  await writeFile(join(folder, 'api.graphql'), printSchema(served))
  const sources = fileURLToPath(new URL('relay/', import.meta.url))
  const isSource = (path: string) => !path.includes('__generated__')
  await cp(sources, join(folder, 'relay'), { recursive: true, filter: isSource })
  const config: unknown = JSON.parse(await readFile(new URL('relay.config.json', import.meta.url), 'utf8'))
  await writeFile(join(folder, 'relay.config.json'), JSON.stringify(Object.assign({}, config, { schema: 'api.graphql' })))

  const compiler = fileURLToPath(new URL('node_modules/relay-compiler/cli.js', import.meta.url))
  await promisify(execFile)(process.execPath, [compiler, 'relay.config.json'], { cwd: folder })
  expect(await filesOf(join(folder, 'relay/__generated__'))).toEqual(await filesOf(join(sources, '__generated__')))
  await rm(folder, { recursive: true })
})

async function filesOf(folder: string): Promise<Map<string, string>> {
  const names = await readdir(folder)
  return new Map(await Promise.all(names.sort().map(async (name): Promise<[string, string]> => [name, await readFile(join(folder, name), 'utf8')])))
}

/* ---- the runtime ------------------------------------------------------------------------------- */

const response = z.custom<GraphQLResponse>((value) => z.object({ data: z.object({}) }).safeParse(value).success)

/** A frontend's Relay environment, with how often it has asked the gateway. */
function relay() {
  const requests: string[] = []
  const environment = new Environment({
    network: Network.create(async ({ name, text }, variables) => {
      requests.push(name)
      const answer = await fetch(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify({ query: text, variables }),
      })
      return response.parse(await answer.json())
    }),
    store: new Store(new RecordSource()),
  })

  /** Fetches, and keeps what came for as long as the environment lives. */
  async function load<Query extends OperationType>(query: ConcreteRequest, variables: Query['variables']): Promise<Query['response'] | undefined> {
    environment.retain(createOperationDescriptor(query, variables))
    return fetchQuery<Query>(environment, query, variables).toPromise()
  }

  /** What a component with this fragment is shown, from the store alone. */
  function show<Data>(schema: z.ZodType<Data>, fragment: ReaderFragment, reference: unknown): Data {
    const selector = getSingularSelector(fragment, reference)
    const { data, isMissingData } = environment.lookup(selector)
    if (isMissingData) throw new Error(`${fragment.name} is not whole in the store.`)
    return schema.parse(data)
  }
  return { requests, load, show }
}

const shownItem = z.object({ id: z.string(), version: z.number(), name: z.string(), entity: z.object({ name: z.string() }) })
const shownList = z.object({
  assessments: z.object({
    edges: z.array(z.object({ node: z.looseObject({ id: z.string(), name: z.string() }) })),
    pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
  }),
})

const expectedList = z.object({ assessments: z.object({ nodes: z.array(z.object({ id: z.string(), name: z.string() })) }) })

test('a connection grows by its next page', async () => {
  const { assessments } = await dataOf(expectedList, url, headers, '{ assessments(first: 4, orderBy: [{ field: NAME, direction: ASC }]) { nodes { id name } } }')
  const { requests, load, show } = relay()
  const reference = await load<assessmentsQuery>(firstPageQuery, { count: 2 })
  const idsShown = () => show(shownList, list, reference).assessments.edges.map(({ node }) => node.id)
  const ids = assessments.nodes.map(({ id }) => id)
  expect(ids).toHaveLength(4)
  expect(idsShown()).toEqual(ids.slice(0, 2))

  const { pageInfo } = show(shownList, list, reference).assessments
  expect(pageInfo.hasNextPage).toBe(true)
  await load<assessmentsNextPageQuery>(nextPageQuery, { count: 2, cursor: pageInfo.endCursor })
  expect(idsShown()).toEqual(ids)
  expect(requests).toEqual(['assessmentsQuery', 'assessmentsNextPageQuery'])
})

const renamed = z.object({
  updateAssessment: z.object({ assessment: z.object({ id: z.string(), version: z.number(), name: z.string(), entity: z.object({ name: z.string() }) }) }),
})

test('an item that has been changed elsewhere is fetched again by its id alone, and is new in the list too', async () => {
  const { load, show } = relay()
  const reference = await load<assessmentsQuery>(firstPageQuery, { count: 1 })
  const node = () => {
    const [edge] = show(shownList, list, reference).assessments.edges
    if (!edge) throw new Error('There is no demo assessment.')
    return edge.node
  }
  const before = show(shownItem, item, node())
  const { updateAssessment } = await dataOf(
    renamed,
    url,
    headers,
    `mutation Rename($id: ID!, $name: String!) {
      updateAssessment(id: $id, input: { name: $name }) {
        ... on UpdateAssessmentSuccess { assessment { id version name entity { name } } }
      }
    }`,
    { id: before.id, name: `${before.name}, again` },
  )
  expect(show(shownItem, item, node())).toEqual(before)

  await load<assessmentsRefetchQuery>(refetchQuery, { id: before.id })
  expect(show(shownItem, item, node())).toMatchObject(updateAssessment.assessment)
  expect(node().name).toBe(`${before.name}, again`)
})
