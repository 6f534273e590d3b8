// GraphiQL's page and its examples, which are the documents of operations/.
import { readdirSync, readFileSync } from 'node:fs'
import { PrismaPg } from '@prisma/adapter-pg'
import { Kind, type OperationDefinitionNode, OperationTypeNode, parse, validate } from 'graphql'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { PrismaClient } from '../../src/generated/prisma/client.js'
import { schema } from '../../src/server/schema.js'
import { createServer } from '../../src/server/server.js'
import { type Answer, db, dependencies, post, statementsOf } from '../gateway.js'
import { anOrganisation, type Story } from '../story.js'

const HTML = { accept: 'text/html,application/xhtml+xml' }

function gatewayWith(graphiql: Parameters<typeof createServer>[0]['graphiql'], client: PrismaClient = db) {
  return createServer({ ...dependencies, store: client, graphiql })
}

async function pageOf(demoKey: string | undefined, client?: PrismaClient): Promise<string> {
  const response = await gatewayWith({ demoKey }, client).fetch('http://gateway.test/graphql', { headers: HTML })
  expect(response.status).toBe(200)
  return response.text()
}

const options = z.object({
  title: z.string(),
  defaultHeaders: z.string(),
  defaultEditorToolsVisibility: z.enum(['headers', 'variables']),
  shouldPersistHeaders: z.literal(false),
  defaultTabs: z.array(z.object({ query: z.string(), variables: z.string().nullable(), headers: z.string() })),
})

/** What GraphiQL is started with. */
function optionsOf(page: string): z.output<typeof options> {
  const json = /querySelector\('#root'\),\s*(\{.*\}),\s*\);\s*<\/script>/.exec(page.slice(page.lastIndexOf('querySelector(')))?.[1]
  return options.parse(JSON.parse(json ?? ''))
}

function operationOf(query: string): OperationDefinitionNode {
  const { definitions } = parse(query)
  const [operation] = definitions
  if (definitions.length !== 1 || operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error(`Not one operation: ${query}`)
  return operation
}

const isMutation = ({ operation }: OperationDefinitionNode) => operation === OperationTypeNode.MUTATION

const isSubscription = ({ operation }: OperationDefinitionNode) => operation === OperationTypeNode.SUBSCRIPTION

const variablesOf = ({ variables }: { variables: string | null }) => z.record(z.string(), z.unknown()).parse(JSON.parse(variables ?? '{}'))

const event = z.object({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z.array(z.object({ message: z.string(), extensions: z.record(z.string(), z.unknown()).optional() })).optional(),
})

/** Sends an example as GraphiQL does: the answer, or the first event of a subscription, which it then leaves. */
async function run(org: Story, tab: { query: string; variables: string | null }): Promise<Answer> {
  if (!isSubscription(operationOf(tab.query))) return org.request(tab.query, variablesOf(tab))
  const response = await post({ apikey: org.key, accept: 'text/event-stream' }, tab.query, variablesOf(tab))
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
  let received = ''
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    received += chunk
    const data = /^data: ?(\{.*\})\n\n/m.exec(received)?.[1]
    // Returning ends the stream.
    if (data !== undefined) return event.parse(JSON.parse(data))
  }
  throw new Error(`The subscription told nothing but ${JSON.stringify(received)}.`)
}

/** An organisation in which every example finds what it needs. */
async function suitable(): Promise<Story> {
  const org = await anOrganisation()
  const { templateId } = await org.assessment()
  await org.assessment({ templateId })
  await org.entity()
  await org.record({ assessorId: (await org.user()).id })
  await org.lineItem({ scoreScaleId: (await org.scale()).id })
  return org
}

/* ---- the page ---------------------------------------------------------------------------------- */

test('the page needs no credential and loads nothing from anywhere', async () => {
  const response = await gatewayWith({ demoKey: undefined }).fetch('http://gateway.test/graphql', { headers: HTML })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
  const page = await response.text()
  const markup = page.replaceAll(/(<(script|style)[^>]*>).*?<\/\2>/gs, '$1')
  const tags = [...markup.matchAll(/<[^/!][^>]*>/g)].map(([tag]) => tag.replace(/"(data:|nonce-)?[^"]{24,}"/, '"$1..."'))
  expect(tags.filter((tag) => /=/.test(tag))).toEqual([
    '<html lang="en">',
    '<meta charset="utf-8" />',
    '<link rel="icon" href="data:..." />',
    '<body id="body" class="no-focus-outline">',
    '<div id="root">',
    '<script nonce="...">',
    '<script nonce="...">',
  ])
  const styles = [...page.matchAll(/<style>(.*?)<\/style>/gs)].map(([, style]) => style).join()
  const loaded = [...styles.matchAll(/@import|url\(["']?(.{5})/g)].map(([, address]) => address)
  expect(new Set(loaded)).toEqual(new Set(['data:']))
})

test('its policy runs the scripts of this very page and lets them reach this server only', async () => {
  const server = gatewayWith({ demoKey: undefined })
  const [first, second] = [
    await server.fetch('http://gateway.test/graphql', { headers: HTML }),
    await server.fetch('http://gateway.test/graphql', { headers: HTML }),
  ]
  const policy = first.headers.get('content-security-policy') ?? ''
  expect(policy.replace(/'nonce-[^']{24}'/, 'NONCE').split('; ').sort()).toEqual([
    "base-uri 'none'",
    "connect-src 'self'",
    "default-src 'none'",
    'font-src data:',
    "form-action 'none'",
    "frame-ancestors 'none'",
    "img-src 'self' data:",
    'script-src NONCE',
    "style-src 'unsafe-inline'",
    'worker-src blob:',
  ])
  const nonce = /'nonce-([^']+)'/.exec(policy)?.[1]
  const page = await first.text()
  expect([...page.matchAll(/<script nonce="([^"]+)">/g)].map(([, it]) => it)).toEqual([nonce, nonce])
  expect(second.headers.get('content-security-policy')).not.toBe(policy)
  expect(Object.fromEntries(first.headers)).toMatchObject({
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  })
})

test('no data can break out of the script that holds it', async () => {
  const org = await suitable()
  const evil = '</script><script>alert(1)</script><!--<script>'
  await db.assessmentLineItem.updateMany({ where: { organisationId: org.id }, data: { sourcedId: evil } })
  const page = await pageOf(org.key)
  expect(page.includes('<script>alert')).toBe(false)
  const put = optionsOf(page).defaultTabs.find(({ query }) => query.includes('putAssessmentResult('))
  expect(put && variablesOf(put)).toMatchObject({ input: { assessmentLineItemSourcedId: evil } })
})

test('a query in the address of the page is not run', async () => {
  const org = await anOrganisation()
  for (const query of ['{ viewer { organisation { id } } }', 'mutation { refreshAssessments { __typename } }']) {
    const address = `http://gateway.test/graphql?query=${encodeURIComponent(query)}`
    const page = await statementsOf(async () => {
      const response = await gatewayWith({ demoKey: undefined }).fetch(address, { headers: { ...HTML, apikey: org.key } })
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
      expect((await response.text()).includes(org.id)).toBe(false)
    })
    expect(page).toEqual([])
    const refused = await statementsOf(async () => {
      const response = await gatewayWith(false).fetch(address, { headers: HTML })
      expect(response.status).toBe(401)
    })
    expect(refused).toEqual([])
  }
})

test.each([
  { what: 'the page is off', graphiql: false, method: 'GET', path: '/graphql', accept: 'text/html', status: 401 },
  { what: 'a program asks', graphiql: { demoKey: undefined }, method: 'GET', path: '/graphql', accept: 'application/json', status: 401 },
  { what: 'a browser posts', graphiql: { demoKey: undefined }, method: 'POST', path: '/graphql', accept: 'text/html', status: 401 },
  { what: 'the address is another', graphiql: { demoKey: undefined }, method: 'GET', path: '/', accept: 'text/html', status: 404 },
] as const)('there is no page when $what', async ({ graphiql, method, path, accept, status }) => {
  const response = await gatewayWith(graphiql).fetch(`http://gateway.test${path}`, { method, headers: { accept } })
  expect(response.status).toBe(status)
  expect((await response.text()).includes('<html')).toBe(false)
})

test('the page opens while the database does not answer', async () => {
  const away = new PrismaClient({ adapter: new PrismaPg({ host: '/nowhere' }) })
  const { defaultTabs } = optionsOf(await pageOf('agk_some-key', away))
  expect(defaultTabs.map(({ variables }) => variables).join()).toContain('an id from Assessments')
})

/* ---- the examples ------------------------------------------------------------------------------ */

const directory = new URL('../../operations/', import.meta.url)
const documents = readdirSync(directory).sort().map((name) => readFileSync(new URL(name, directory), 'utf8'))

test('the tabs are the documents of operations/, each with its headers; the first needs no variables', async () => {
  const org = await anOrganisation()
  const { title, defaultHeaders, defaultTabs } = optionsOf(await pageOf(org.key))
  expect(title).toBe('Assessment gateway')
  expect(defaultTabs.map(({ query }) => query)).toEqual(documents)
  expect(JSON.parse(defaultHeaders)).toEqual({ apikey: org.key })
  expect(new Set(defaultTabs.map(({ headers }) => headers))).toEqual(new Set([defaultHeaders]))
  expect(operationOf(defaultTabs[0]?.query ?? '')).toMatchObject({ operation: 'query', name: { value: 'Welcome' }, variableDefinitions: [] })
  expect(defaultTabs.filter(({ variables }) => variables === null)).toEqual([defaultTabs[0]])
})

test('every document tells what to do and what to try next, and is valid', () => {
  for (const query of documents) {
    expect(query).toMatch(/^# [^]*\n# Try next: /)
    // Wider lines do not fit beside the answer.
    expect(query.split('\n').filter((line) => line.length > 62)).toEqual([])
    expect(validate(schema, parse(query))).toEqual([])
  }
})

test('every write has an example, which asks for all that can go wrong', () => {
  const fields = documents.map(operationOf).filter(isMutation).map(({ selectionSet }) => {
    const [field] = selectionSet.selections
    if (field?.kind !== Kind.FIELD) throw new Error('A mutation starts with a field.')
    const conditions = field.selectionSet?.selections.flatMap((it) => (it.kind === Kind.INLINE_FRAGMENT ? (it.typeCondition?.name.value ?? []) : []))
    return [field.name.value, conditions?.filter((name) => name !== 'Error').sort()]
  })
  const writes = Object.values(schema.getMutationType()?.getFields() ?? {}).map(({ name, type }) => {
    const union = 'getTypes' in type ? type.getTypes().map((member) => member.name) : []
    return [name, union.sort()]
  })
  expect(fields.sort()).toEqual(writes.sort())
})

test('with a demo key every example works as it stands, one after the other', async () => {
  const org = await suitable()
  const { defaultTabs } = optionsOf(await pageOf(org.key))
  for (const tab of defaultTabs) {
    const operation = operationOf(tab.query)
    const { data, errors } = await run(org, tab)
    expect(errors, tab.query).toBeUndefined()
    const answers = Object.values(data ?? {})
    expect(answers, tab.query).toHaveLength(operation.selectionSet.selections.length)
    for (const answer of answers) {
      expect(answer, tab.query).not.toBeNull()
      if (isMutation(operation)) expect(z.object({ __typename: z.string() }).parse(answer).__typename).toMatch(/Success$/)
    }
  }
})

test('the subscription tells what has changed before, then what an update changes while it runs', async () => {
  const org = await suitable()
  const { defaultTabs } = optionsOf(await pageOf(org.key))
  const tabOf = (field: string) => {
    const tab = defaultTabs.find(({ query }) => query.includes(`${field}(`))
    if (!tab) throw new Error(`${field} has no example.`)
    return tab
  }
  const [watch, update] = [tabOf('assessmentChanged'), tabOf('updateAssessment')]
  expect(variablesOf(watch)['id']).toBe(variablesOf(update)['id'])
  expect(await run(org, watch)).toMatchObject({ data: { assessmentChanged: { version: 1 } } })
  await run(org, update)
  const since = { ...watch, variables: JSON.stringify({ ...variablesOf(watch), sinceVersion: 1 }) }
  expect(await run(org, since)).toMatchObject({
    data: { assessmentChanged: { version: 2, changedPaths: ['status', 'progress'], assessment: { status: 'ACTION_REQUIRED', progress: 60 } } },
  })
})

test('a second run of an update is the conflict that its comment announces', async () => {
  const org = await suitable()
  const { defaultTabs } = optionsOf(await pageOf(org.key))
  for (const field of ['updateAssessment', 'answerAssessmentQuestions', 'updateAssessmentRecord']) {
    const tab = defaultTabs.find(({ query }) => query.includes(`${field}(`))
    if (!tab) throw new Error(`${field} has no example.`)
    await org.request(tab.query, variablesOf(tab))
    const { data } = await org.request(tab.query, variablesOf(tab))
    expect(data).toMatchObject({ [field]: { __typename: 'ConflictError', expectedVersion: 1, actualVersion: 2 } })
  }
})

test('without a demo key the page names no row of anybody, and says what to fill in', async () => {
  const org = await suitable()
  const page = await pageOf(undefined)
  const { defaultHeaders, defaultTabs } = optionsOf(page)
  expect(JSON.parse(defaultHeaders)).toEqual({ apikey: 'YOUR_API_KEY' })
  expect(page.includes(org.id)).toBe(false)
  expect(JSON.stringify(defaultTabs.map(({ variables }) => variables))).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/)
  expect(defaultTabs[0]?.query).toMatch(/^# Put your API key under Headers/)
  for (const tab of defaultTabs) {
    const { errors } = await run(org, tab)
    const codes = errors?.map(({ extensions }) => extensions?.['code'])
    // There is nothing to watch before an id is filled in, and no result that could say so.
    expect(codes, tab.query).toEqual(isSubscription(operationOf(tab.query)) ? ['NOT_FOUND'] : undefined)
  }
})
