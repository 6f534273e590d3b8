// Queries are executed by a plan: it answers what Yoga's executor answers, errors too, for as many statements.
import fc from 'fast-check'
import { type ExecutionArgs, getOperationAST, parse, validate } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { usePlannedExecution } from '../../src/executor/index.js'
import { planOf } from '../../src/executor/plan.js'
import { schema } from '../../src/server/schema.js'
import { createServer } from '../../src/server/server.js'
import { gatewayWith } from '../after-writing.js'
import { jsonOf } from '../fuzz/inputs.js'
import { randomQuery } from '../fuzz/queries.js'
import { FUZZ_TIMEOUT_MS, holds } from '../fuzz/runs.js'
import { aWorld, type World } from '../fuzz/world.js'
import { database, dependencies, idle, logged, statementsOf } from '../gateway.js'

const fault = z.object({ data: z.null(), errors: z.tuple([z.object({ extensions: z.object({ code: z.literal('INTERNAL_SERVER_ERROR'), errorId: z.uuid() }) })]) })

type Gateway = ReturnType<typeof createServer>

let world: World
const { execution: _, ...withoutExecution } = dependencies
const ordinary = createServer(withoutExecution)
let planned: Gateway
beforeAll(async () => {
  world = await aWorld(4)
  planned = createServer({ ...withoutExecution, execution: usePlannedExecution() })
})

async function send(gateway: Gateway, body: string, key = world.ours.key): Promise<{ answer: unknown; statements: number }> {
  let answer: unknown
  const statements = await statementsOf(async () => {
    const response = await gateway.fetch('http://gateway.test/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', apikey: key },
      body,
    })
    answer = JSON.parse((await response.text()).replace(/"errorId":"[^"]*"/g, '"errorId":""'))
    // An error is answered before the SQL of the fields beside it has come to an end.
    await idle()
  })
  return { answer, statements: statements.length }
}

/** Sends a body to be executed without a plan, and three times to where it has one, which is made at the first. */
async function expectTheSame(body: string, key?: string): Promise<unknown> {
  const expected = await send(ordinary, body, key)
  for (let time = 0; time < 3; time += 1) expect(await send(planned, body, key), body).toEqual(expected)
  return expected.answer
}

function isPlanned(query: string, operationName?: string): boolean {
  const document = parse(query)
  expect(validate(schema, document), query).toEqual([])
  const operation = getOperationAST(document, operationName)
  return operation != null && planOf({ schema, document }, operation) !== undefined
}

function isValid(query: string): boolean {
  try {
    return validate(schema, parse(query)).length === 0
  } catch {
    return false
  }
}

const SECTIONS = 'sections { index title questions { index id text difficulty options { key label riskScore } answer { key } } }'
const ASSESSMENT = `__typename id oid version name status intakeMode progress overallRiskScore createdAt organisation { name }
  template { id name type sections { title } outcomes { name } } entity { id name country } createdBy { name } outcome { name }
  workflow { state error { type details } } ${SECTIONS} history { totalCount nodes { version changedPaths actor } edges { cursor } }`

describe('planned, and answered the same', () => {
  const queries: Record<string, [query: string, variables?: (names: World['names']['ours']) => object]> = {
    'a row with everything': [`query ($id: ID!) { assessment(id: $id) { ${ASSESSMENT} } }`, ({ Assessment }) => ({ id: Assessment[0] })],
    'a list': [`{ assessments(first: 3) { totalCount pageInfo { endCursor hasNextPage } edges { cursor node { ${ASSESSMENT} } } } }`],
    'lists in lists': [`{ entities(last: 100) { nodes { name assessments(first: 1) { totalCount nodes { ${ASSESSMENT} } } } } }`],
    'the same rows by several ways': [
      `{ entities { nodes { assessments { nodes { template { assessments { nodes { template { outcomes { id } records { nodes { status user { name } } } } } } } } } } }
         again: assessments { nodes { template { name } } } }`,
    ],
    records: [`{ assessmentRecords { nodes { id status isExpired user { name } assessor { name } folder { name } assessmentDefinition { name } history { nodes { version } } } } }`],
    results: [`{ assessmentResults { nodes { score scoreDate metadata student { name } scoreScale { title values { itemValueLHS } } assessmentLineItem { title results { totalCount } } } } }`],
    'aliases and fields that merge': [`{ a: viewer { organisation { name } } a: viewer { organisation { id: companyId } scopes } toString: viewer { scopes } constructor: viewer { scopes } }`],
    'fragments, on interfaces too': [
      `{ assessments { nodes { ...One ... on Node { id } ... on Versioned { version } ... { status } } } } fragment One on Assessment { name template { ...Two } } fragment Two on AssessmentTemplate { type }`,
    ],
    'fragments inside of fragments that are of another type': [
      `{ assessments { nodes { id ... on Versioned { ... on AssessmentRecord { x: version } ... on Assessment { x: oid ...Record } } } } } fragment Record on Versioned { ... on AssessmentRecord { isExpired } }`,
    ],
    'a row of an interface': [`query ($id: ID!) { node(id: $id) { __typename id ... on Versioned { version history { nodes { version } } } ... on Assessment { ${ASSESSMENT} } } }`, ({ Assessment }) => ({ id: Assessment[0] })],
    'a row of an interface that is not there': ['{ node(id: "x") { id } }'],
    'rows of an interface, in one list': [
      `query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Entity { name assessments { nodes { name } } } ... on Assessment { name entity { name } } ... on AssessmentRecord { user { name } } } }`,
      ({ Assessment, Entity, AssessmentRecord }) => ({ ids: [Assessment[0], 'x', Entity[0], Assessment[1], Assessment[0], AssessmentRecord[0]] }),
    ],
    'rows of a union, in one list': [
      `query ($representations: [_Any!]!) { _entities(representations: $representations) { __typename ... on Assessment { ...One } ... on Entity { id name } } }
       fragment One on Assessment { id name entity { name } ... on Versioned { version } }`,
      ({ Assessment, Entity }) => ({
        representations: [
          ...[...Assessment, Assessment[0]].map((id) => ({ __typename: 'Assessment', id })),
          { __typename: 'Nothing', id: 'x' },
          { __typename: 'Entity', id: Entity[0] },
          { __typename: 'Assessment', id: 'x' },
          { __typename: 'User', id: 'x' },
        ],
      }),
    ],
    'variables of a list, an enum, an object and a date': [
      `query ($filter: AssessmentFilter, $orderBy: [AssessmentOrder!], $first: Int = 2) { assessments(filter: $filter, orderBy: $orderBy, first: $first) { nodes { id createdAt } } }`,
      () => ({ filter: { status: 'DRAFT' }, orderBy: { field: 'NAME', direction: 'DESC' } }),
    ],
    'a variable inside of an object': ['query ($type: String) { assessmentTemplates(filter: { type: $type }) { nodes { id } } }', () => ({ type: 'x', field: 'NAME' })],
    'a variable inside of a list': ['query ($field: AssessmentOrderField!) { assessments(orderBy: [{ field: $field, direction: ASC }]) { nodes { id } } }', () => ({ type: 'x', field: 'NAME' })],
    'a variable that is not given': [`query ($first: Int, $after: String) { assessments(first: $first, after: $after) { nodes { id } } }`],
    'a row that is not there': [`query ($id: ID!) { assessment(id: $id) { id sections { title } } }`, () => ({ id: '00000000-0000-4000-8000-000000000000' })],
    // With errors.
    'a variable of a wrong type': [`query ($first: Int) { assessments(first: $first) { nodes { id } } }`, () => ({ first: 'many' })],
    'a variable that has to be given': [`query ($id: ID!) { assessment(id: $id) { id } }`],
    'an error of a resolver, beside data': [`query ($first: Int) { viewer { scopes } assessments(first: $first) { nodes { id } } }`, () => ({ first: -1 })],
    'several errors': [`query ($first: Int, $after: String) { a: assessments(first: $first) { nodes { id } } b: entities(after: $after) { nodes { id } } viewer { scopes } }`, () => ({ first: 101, after: 'x' })],
    'errors deep in lists': [`query ($first: Int) { entities { nodes { name assessments(first: $first) { nodes { id } } } } }`, () => ({ first: 101 })],
  }
  test.for(Object.entries(queries))('%s', async ([, [query, variables]]) => {
    expect(isPlanned(query)).toBe(true)
    await expectTheSame(JSON.stringify({ query, variables: variables?.(world.names.ours) }))
  })

  test('a credential without the scope is refused', async () => {
    const stranger = await world.ours.keyWith(['RECORDS_READ'])
    const body = JSON.stringify({ query: `{ viewer { scopes } assessments { nodes { id name entity { name } } } assessmentRecords { nodes { id } } }` })
    expect(await expectTheSame(body, stranger)).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN', requiredScope: 'ASSESSMENTS_READ' } }] })
    expect(await send(planned, body)).toMatchObject({ answer: { data: { viewer: {}, assessments: {}, assessmentRecords: {} } } })
  })

  test('each operation of a document', async () => {
    const query = `query A { viewer { scopes } } query B { viewer { organisation { name } } } query C($on: Boolean!) { viewer { ...F @include(if: $on) } } fragment F on Viewer { scopes }`
    expect(['A', 'B', 'C'].map((name) => isPlanned(query, name))).toEqual([true, true, false])
    const answerOf = (operationName?: string) => expectTheSame(JSON.stringify({ query, operationName, variables: { on: false } }))
    expect(await answerOf('A')).toHaveProperty('data.viewer.scopes')
    expect(await answerOf('B')).toHaveProperty('data.viewer.organisation.name')
    expect(await answerOf('C')).toMatchObject({ data: { viewer: {} } })
    expect(await answerOf('D')).toHaveProperty('errors')
    expect(await answerOf()).toHaveProperty('errors')
  })
})

test('lists of any length cost as many statements', async () => {
  const small = await aWorld(2)
  const body = JSON.stringify({ query: `{ entities(first: 100) { nodes { assessments { nodes { ${ASSESSMENT} } } } } assessments(first: 100) { nodes { ${ASSESSMENT} } } }` })
  for (let time = 0; time < 3; time += 1) {
    expect((await send(planned, body, small.ours.key)).statements).toBe((await send(planned, body)).statements)
  }
})

test('a fault is told each time, and logged by the id that it is told with', async () => {
  const store = new Proxy(dependencies.store, { get: (target, name): unknown => (name === 'entity' ? { findMany: () => Promise.reject(new TypeError('a fault')) } : Reflect.get(target, name)) })
  const faulty = createServer({ ...withoutExecution, store, execution: usePlannedExecution() })
  for (let time = 1; time <= 3; time += 1) {
    const response = await faulty.fetch('http://gateway.test/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', apikey: world.ours.key },
      body: '{"query":"{ viewer { scopes } entities { nodes { id } } }"}',
    })
    const [error] = fault.parse(await response.json()).errors
    expect(logged.filter((line) => line.includes(error.extensions.errorId))).toEqual([expect.stringContaining('a fault')])
  }
})

test('a fault of the planner is told and logged, and no other execution hides it', async () => {
  const planning = usePlannedExecution()
  let faults = 1
  // Once only, so that Yoga's executor would succeed.
  const failing = new Proxy(schema, {
    get(target, name): unknown {
      if (name === 'getQueryType' && faults-- > 0) throw new TypeError('a fault of the planner')
      return Reflect.get(target, name)
    },
  })
  const execution: Plugin = {
    onExecute: (payload) => planning.onExecute?.({ ...payload, setExecuteFn: (execute) => payload.setExecuteFn((args: ExecutionArgs): unknown => execute({ ...args, schema: failing })) }),
  }
  const response = await createServer({ ...withoutExecution, execution }).fetch('http://gateway.test/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', apikey: world.ours.key },
    body: '{"query":"{ viewer { scopes } }"}',
  })
  const answer = z.object({ errors: z.tuple([z.object({ extensions: z.object({ code: z.literal('INTERNAL_SERVER_ERROR'), errorId: z.uuid() }) })]) }).parse(await response.json())
  expect(logged.filter((line) => line.includes(answer.errors[0].extensions.errorId))).toEqual([expect.stringContaining('a fault of the planner')])
})

test('a request that is interrupted has one error, however many fields fail for that', async () => {
  const interrupting = gatewayWith(database, { reading: (scope) => scope.interrupt('TIMEOUT') })
  const fields = world.names.ours.Assessment.map((id, index) => `a${index}: assessment(id: "${id}") { template { name } }`)
  const { answer } = await send(interrupting, JSON.stringify({ query: `{ ${fields.join(' ')} }` }))
  expect(answer).toMatchObject({ data: { a0: null, a3: null }, errors: [{ path: ['a0'], extensions: { code: 'TIMEOUT' } }] })
})

describe('not planned, and answered the same', () => {
  const queries: Record<string, string> = {
    '@include and @skip': '{ viewer { scopes @include(if: true) organisation @skip(if: true) { name } } }',
    introspection: '{ __schema { queryType { name } } }',
    'an alias of two underscores': '{ __proto__: viewer { scopes } }',
    'more fields than are worth it': `{ viewer { ${Array.from({ length: 1000 }, (_, i) => `f${i}: scopes`).join(' ')} } }`,
  }
  test.for(Object.entries(queries))('%s', async ([, query]) => {
    expect(isPlanned(query)).toBe(false)
    await expectTheSame(JSON.stringify({ query }))
  })

  test('mutations', () => {
    expect(isPlanned('mutation { refreshAssessments { __typename } }')).toBe(false)
  })
})

describe('random queries are answered the same', () => {
  test.for([
    ['of any kind', true],
    ['that have plans', false],
  ] as const)('%s', { timeout: FUZZ_TIMEOUT_MS }, async ([, conditions]) => {
    let plans = 0
    await holds(
      60,
      fc.asyncProperty(fc.gen(), async (gen) => {
        const { query, variables } = randomQuery(world, gen, conditions)
        if (!conditions && isValid(query)) {
          expect(isPlanned(query), query).toBe(true)
          plans += 1
        }
        await expectTheSame(`{"query":${JSON.stringify(query)},"variables":${jsonOf(world, variables)}}`)
      }),
    )
    if (!conditions) expect(plans).toBeGreaterThan(0)
  })
})
