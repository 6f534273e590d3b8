// One organisation takes neither the connections nor the time of the others.
import type { ExecutionArgs } from 'graphql'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { openDatabase, type Database } from '../../../src/database/client.js'
import { RequestScope, runInScope } from '../../../src/request-scope/request-scope.js'
import { asContext } from '../../../src/server/context.js'
import { createServer, type ServerDependencies } from '../../../src/server/server.js'
import { LocalChangeSignals } from '../../../src/database/change-signals.js'
import { subscribe } from '../../event-streams.js'
import { dependencies, limits, logged } from '../../gateway.js'
import { anOrganisation, type Story } from '../../story.js'

const place = inject('database')
const url = 'url' in place ? place.url : undefined

let flood: Story
let other: Story
beforeAll(async () => {
  ;[flood, other] = [await anOrganisation(), await anOrganisation()]
})

const ask = (gateway: ReturnType<typeof createServer>, { key }: Story, query = '{ viewer { scopes } }') =>
  gateway.fetch('http://gateway.test/graphql', { method: 'POST', headers: { apikey: key, 'content-type': 'application/json' }, body: JSON.stringify({ query }) })

/** Executes nothing before `open` is called. Tells who is being executed. */
function gate() {
  const executing: string[] = []
  let open: () => void = () => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  const execution: ServerDependencies['execution'] = {
    onExecute({ args, executeFn, setExecuteFn }) {
      setExecuteFn(async (given: ExecutionArgs): Promise<unknown> => {
        executing.push(asContext(args.contextValue).viewer.organisation.id)
        await opened
        return executeFn(given)
      })
    },
  }
  return { executing, open: () => open(), execution }
}

describe('operations in flight', () => {
  const fair = { costInFlight: 4_000, organisationShare: 0.5, waitMs: 60_000 }

  test('leave room for other organisations, and each waits for its turn', async () => {
    const { executing, open, execution } = gate()
    const gateway = createServer({ ...dependencies, execution, limits: { ...limits, fair } })
    const flooding = Array.from({ length: 10 }, () => ask(gateway, flood))
    await expect.poll(() => executing.length).toBe(2)
    const answered = ask(gateway, other)
    await expect.poll(() => executing).toEqual([flood.id, flood.id, other.id])
    open()
    expect((await answered).status).toBe(200)
    for (const response of await Promise.all(flooding)) expect(response.status).toBe(200)
  })

  test.each([
    ['what they cost', '{ a: assessments(first: 0) { totalCount } b: assessments(first: 0) { totalCount } c: assessments(first: 0) { totalCount } }', 503],
    ['the fields at their root, if that is more', '{ a: viewer { scopes } b: viewer { scopes } ...More } fragment More on Query { c: viewer { scopes } d: viewer { scopes } }', 503],
    ['no more than that', '{ a: viewer { scopes } b: viewer { scopes } c: viewer { scopes } }', 200],
  ])('count by %s', async (_, dear, status) => {
    const { executing, open, execution } = gate()
    const gateway = createServer({ ...dependencies, execution, limits: { ...limits, fair: { ...fair, organisationShare: 1, waitMs: 1 } } })
    const held = ask(gateway, flood, dear)
    await expect.poll(() => executing).toEqual([flood.id])
    const asked = ask(gateway, other)
    // It is either refused, or executed together with the first.
    if (status === 200) await expect.poll(() => executing).toEqual([flood.id, other.id])
    else expect((await asked).status).toBe(status)
    open()
    expect((await held).status).toBe(200)
    expect((await asked).status).toBe(status)
  })

  test('have events of subscriptions among them, which wait until it is their turn', async () => {
    const changes = new LocalChangeSignals()
    const { executing, open, execution } = gate()
    const gateway = createServer({ ...dependencies, execution, changes, limits: { ...limits, fair: { ...fair, costInFlight: 2_000, waitMs: 1 } } })
    const writing = createServer({ ...dependencies, changes })
    const heard: string[] = []
    const follow = async (org: Story) => {
      const { id } = await org.assessment()
      const stream = await subscribe(gateway, org.key, 'subscription ($id: ID!) { assessmentChanged(id: $id) { version } }', { id })
      const write = () => ask(writing, org, `mutation { updateAssessment(id: "${id}", input: { progress: 1 }) { __typename } }`)
      const hear = stream.next().then((event) => heard.push(org.id, JSON.stringify(event)))
      return { write, hear }
    }
    const [ours, theirs] = [await follow(flood), await follow(other)]
    const held = ask(gateway, flood)
    await expect.poll(() => executing).toEqual([flood.id])
    for (const { write } of [ours, theirs]) expect((await write()).status).toBe(200)
    await theirs.hear
    const event = '{"data":{"assessmentChanged":{"version":2}}}'
    expect(heard).toEqual([other.id, event])
    open()
    await (await held).text()
    await ours.hear
    expect(heard).toEqual([other.id, event, flood.id, event])
  })

  test('that wait in vain are told when to come back', async () => {
    const { executing, open, execution } = gate()
    const gateway = createServer({ ...dependencies, execution, limits: { ...limits, fair: { ...fair, waitMs: 1 } } })
    const held = [1, 2].map(() => ask(gateway, flood))
    await expect.poll(() => executing.length).toBe(2)
    const refused = await ask(gateway, flood)
    expect({ status: refused.status, after: refused.headers.get('retry-after') }).toEqual({ status: 503, after: '1' })
    expect(await refused.json()).toMatchObject({ errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE' } }] })
    expect(logged.some((line) => line.includes('"interruption":"OVERLOADED"'))).toBe(true)
    open()
    await Promise.all(held)
  })
})

describe.runIf(url)('connections to the database', () => {
  let database: Database
  beforeAll(async () => {
    database = await openDatabase({ url: url ?? '', poolSize: 4, poolShare: 3 })
  })
  afterAll(() => database.close())

  const connectFor = (organisationId: string) => {
    const scope = new RequestScope(organisationId)
    scope.organisationId = organisationId
    return runInScope(scope, () => database.pool.connect())
  }

  test('are left for other organisations, and lent in turn', async () => {
    const lent: string[] = []
    const clients: Awaited<ReturnType<typeof connectFor>>[] = []
    const borrow = (name: string) =>
      connectFor(name).then((client) => {
        lent.push(name)
        clients.push(client)
      })
    const flooding = Array.from({ length: 6 }, () => borrow('flood'))
    await Promise.all([...flooding.slice(0, 3), borrow('other')])
    expect(lent.toSorted()).toEqual(['flood', 'flood', 'flood', 'other'])
    const more = [borrow('other'), borrow('other')]
    expect(database.pool.waiting).toBe(5)
    while (clients.length > 0 || database.pool.waiting > 0) {
      clients.shift()?.release()
      await new Promise(setImmediate)
    }
    await Promise.all([...flooding, ...more])
    expect(lent).toHaveLength(9)
    expect(lent.slice(4, 6).toSorted()).toEqual(['flood', 'other'])
  })
})
