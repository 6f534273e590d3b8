// Many who follow the same take little more than one, hold nobody up, and each of them ends with its credential.
import { randomUUID } from 'node:crypto'
import type { ExecutionArgs } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import pg from 'pg'
import { describe, expect, inject, test } from 'vitest'
import { LocalChangeSignals } from '../../src/database/change-signals.js'
import { isTurnOver } from '../../src/request-scope/turns.js'
import { createServer, type ServerDependencies } from '../../src/server/server.js'
import { rowOfEvent } from '../../src/versioning/change-subscription.js'
import { db, dependencies, idle, post, statementsOf } from '../gateway.js'
import { afterTest } from '../gateway-process.js'
import { anOrganisation, type Story } from '../story.js'
import { rename, subscribe } from './subscriber.js'

const place = inject('database')

const many = { perCredential: 1_000, inAll: 1_000, organisationShare: 1 }

function serve(limits: Partial<ServerDependencies['limits']> = {}, execution = dependencies.execution) {
  const changes = new LocalChangeSignals()
  return { changes, server: createServer({ ...dependencies, ...(execution && { execution }), changes, limits: { ...dependencies.limits, subscriptions: many, ...limits } }) }
}

type Serving = ReturnType<typeof serve>

/** So many subscribers of an assessment, all of whom wait for a change. */
async function following({ server, changes }: Serving, org: Story, id: string, count: number, selection = 'version name') {
  const subscribers = await Promise.all(Array.from({ length: count }, () => subscribe(server, org.key, id, { selection })))
  const events = subscribers.map((it) => it.next())
  await expect.poll(() => changes.waiting).toBe(count)
  await idle()
  return { subscribers, events }
}

async function revoke({ id }: Story): Promise<void> {
  await db.apiKey.updateMany({ where: { organisationId: id }, data: { revokedAt: new Date() } })
}

describe('subscribers of one row', () => {
  test('are told of a change by one look and one question for their credential, however many they are', async () => {
    const serving = serve()
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const { events } = await following(serving, org, id, 50)
    const statements = await statementsOf(async () => {
      await rename(serving.server, org, id, 'Another')
      for (const event of await Promise.all(events)) expect(event?.data?.assessmentChanged.version).toBe(2)
    })
    const count = (part: string) => statements.filter((sql) => sql.includes(part)).length
    // The credential of the write is another question.
    expect({ looks: count('unnest'), questions: count('"ApiKey"') }).toEqual({ looks: 1, questions: 2 })
    // Their events read the row in turns, and those of one turn together.
    expect(count('FROM "Assessment"')).toBeLessThan(10)
  })

  test('look at the same time when nothing is heard, by one statement for many rows', async () => {
    const serving = serve()
    const org = await anOrganisation()
    const assessments = await Promise.all(Array.from({ length: 10 }, () => org.assessment()))
    await Promise.all(assessments.map(async ({ id }) => void (await subscribe(serving.server, org.key, id)).next()))
    await expect.poll(() => serving.changes.waiting).toBe(10)
    await idle()
    const statements = await statementsOf(async () => {
      serving.changes.poll()
      await expect.poll(() => serving.changes.waiting).toBe(10)
      await idle()
    })
    expect(statements.map((sql) => (sql.includes('unnest') ? 'look' : sql.includes('"ApiKey"') ? 'credential' : sql))).toEqual(['look', 'credential'])
  })

  test('see a change that was not signalled with the next look, each after what it has seen', async () => {
    const serving = serve()
    const org = await anOrganisation()
    const { id } = await org.assessment()
    await rename(serving.server, org, id, 'Second')
    const { events } = await following(serving, org, id, 1)
    const late = await subscribe(serving.server, org.key, id, { sinceVersion: 1 })
    expect((await late.next())?.data?.assessmentChanged.version).toBe(2)
    const next = late.next()
    await expect.poll(() => serving.changes.waiting).toBe(2)
    await rename(serve().server, org, id, 'Third')
    serving.changes.poll()
    for (const event of [next, ...events]) expect((await event)?.data?.assessmentChanged.version).toBe(3)
  })

  test('look by themselves from time to time', async () => {
    const changes = new LocalChangeSignals(1)
    await changes.next(randomUUID(), new AbortController().signal)
    await changes.close()
  })

  test('end when their credential is revoked, also when nothing changes', async () => {
    const serving = serve()
    const [org, other] = [await anOrganisation(), await anOrganisation()]
    const [{ id }, theirs] = [await org.assessment(), await other.assessment()]
    const going = await following(serving, org, id, 3)
    const staying = (await subscribe(serving.server, other.key, theirs.id)).next()
    await expect.poll(() => serving.changes.waiting).toBe(4)
    await revoke(org)
    serving.changes.poll()
    for (const event of going.events) expect((await event)?.errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED')
    for (const it of going.subscribers) expect(await it.next()).toBeNull()
    await rename(serving.server, other, theirs.id, 'Heard')
    expect((await staying)?.data?.assessmentChanged.version).toBe(2)
  })

  test('hold nobody up: they get the row in turns of the event loop, however long each takes with it', async () => {
    let turns = 0
    let isReading = true
    const count = () => {
      turns += 1
      if (isReading) setImmediate(count)
    }
    count()
    const useUpTurn = () => {
      while (!isTurnOver()) Math.sqrt(2)
    }
    await Promise.all(Array.from({ length: 20 }, () => rowOfEvent(Promise.resolve({})).then(useUpTurn)))
    isReading = false
    expect(turns).toBeGreaterThanOrEqual(19)
  })
})

describe('an event', () => {
  test('has its own allowance of what may be read, however many were before it', async () => {
    const serving = serve({ answerBytes: 50_000 })
    const writer = serve().server
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const question = () => ({ id: randomUUID(), text: 'x'.repeat(6_000), topic: 'risk' })
    const sections = [{ title: 'A', questions: Array.from({ length: 5 }, question) }]
    await db.assessment.update({ where: { id }, data: { sections, version: { increment: 1 }, changedBy: 'system:test' } })
    const subscriber = await subscribe(serving.server, org.key, id, { selection: 'version name sections { questions { text } }' })
    for (let version = 3; version < 7; version += 1) {
      const event = subscriber.next()
      await expect.poll(() => serving.changes.waiting).toBe(1)
      await rename(writer, org, id, `Version ${version}`)
      serving.changes.poll()
      expect((await event)?.data?.assessmentChanged.version).toBe(version)
    }
  })

  // The embedded database has one connection, which nothing else can keep waiting.
  test.runIf('url' in place)('that takes too long is an error, and the next one comes', async () => {
    const serving = serve({ operationTimeoutMs: 300 })
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const { subscribers: [subscriber], events: [event] } = await following(serving, org, id, 1, 'version name entity { name }')
    const outside = new pg.Client({ connectionString: 'url' in place ? place.url : '' })
    await outside.connect()
    afterTest(() => outside.end())
    await outside.query('BEGIN; LOCK TABLE "Entity" IN ACCESS EXCLUSIVE MODE')
    await rename(serving.server, org, id, 'Second')
    expect((await event)?.errors?.[0]?.extensions.code).toBe('TIMEOUT')
    await outside.query('ROLLBACK')
    await rename(serving.server, org, id, 'Third')
    expect((await subscriber?.next())?.data?.assessmentChanged.version).toBe(3)
  })

  test('waits for the turn of its organisation, and is refused when that does not come', async () => {
    let end = () => {}
    const held = new Promise<void>((resolve) => (end = resolve))
    const execution: Plugin = {
      onExecute: ({ executeFn, setExecuteFn }) => setExecuteFn((args: ExecutionArgs): unknown => held.then((): unknown => executeFn(args))),
    }
    const serving = serve({ fair: { costInFlight: 1_000, organisationShare: 1, waitMs: 1 } }, execution)
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const { subscribers: [subscriber], events: [event] } = await following(serving, org, id, 1)
    const inFlight = post({ apikey: org.key }, '{ viewer { scopes } }', {}, serving.server)
    await rename(serve().server, org, id, 'Second')
    serving.changes.poll()
    expect((await event)?.errors?.[0]?.extensions.code).toBe('SERVICE_UNAVAILABLE')
    end()
    await (await inFlight).text()
    await rename(serving.server, org, id, 'Third')
    expect((await subscriber?.next())?.data?.assessmentChanged.version).toBe(3)
  })
})

describe('of subscriptions there are at most', () => {
  const refused = (limit: string, maximum: number) => ({ errors: [{ extensions: { code: 'LIMIT_EXCEEDED', limit, maximum } }] })

  test('so many of one credential, until one ends', async () => {
    const { server } = serve({ subscriptions: { ...many, perCredential: 2 } })
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const [first] = [await subscribe(server, org.key, id, { sinceVersion: 0 }), await subscribe(server, org.key, id)]
    expect((await first.next())?.data?.assessmentChanged.version).toBe(1)
    const third = await subscribe(server, org.key, id)
    expect(third.status).toBe(429)
    expect(await third.next()).toMatchObject(refused('subscriptionsPerCredential', 2))
    expect((await subscribe(server, await org.keyWith(['ASSESSMENTS_READ']), id)).status, 'another credential has its own').toBe(200)
    await first.leave()
    expect((await subscribe(server, org.key, id)).status).toBe(200)
  })

  test('so many of one organisation, and so many in all', async () => {
    const { server } = serve({ subscriptions: { perCredential: 10, inAll: 5, organisationShare: 0.5 } })
    const orgs = [await anOrganisation(), await anOrganisation(), await anOrganisation()]
    const open = async (org: Story) => subscribe(server, await org.keyWith(['ASSESSMENTS_READ']), (await org.assessment()).id)
    const [one, two, three] = orgs
    if (!one || !two || !three) throw new Error('There are three.')
    for (const org of [one, one, two]) expect((await open(org)).status).toBe(200)
    expect(await (await open(one)).next()).toMatchObject(refused('subscriptionsPerOrganisation', 2))
    for (const org of [two, three]) expect((await open(org)).status).toBe(200)
    expect(await (await open(three)).next()).toMatchObject(refused('subscriptions', 5))
  })

  test('none that count and were refused or have failed', async () => {
    const { server } = serve({ subscriptions: { ...many, perCredential: 1 } })
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const wrong = await subscribe(server, org.key, randomUUID())
    expect((await wrong.next())?.errors?.[0]?.extensions.code).toBe('NOT_FOUND')
    expect(await wrong.next()).toBeNull()
    const revoked = await subscribe(server, org.key, id)
    expect(revoked.status).toBe(200)
  })
})
