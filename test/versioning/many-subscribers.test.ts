// However many hear of a write, it is looked for, asked and read once, and told in turns of the event loop.
import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { LocalChangeSignals } from '../../src/database/change-signals.js'
import { createSession } from '../../src/organisations/service.js'
import { isFailure } from '../../src/domain/failures.js'
import { createAuthenticate } from '../../src/server/authentication.js'
import { createServer } from '../../src/server/server.js'
import { EVENTS_AT_A_TIME } from '../../src/versioning/event-turns.js'
import { type EventStream, subscribe, signalsOfTwoProcesses } from '../event-streams.js'
import { database, db, dependencies, idle, limits, log, statementsOf } from '../gateway.js'
import { anOrganisation, type Story } from '../story.js'

const MANY = { perCredential: 1_000, inAll: 1_000, organisationShare: 1 }

/** A gateway that allows many subscriptions, and the signals that wake them. */
function serve(pollIntervalMs?: number) {
  const changes = new LocalChangeSignals(pollIntervalMs)
  // Otherwise a subscription that is about to end could still look while the next test counts.
  onTestFinished(() => expect.poll(() => changes.following).toBe(0))
  return { changes, server: createServer({ ...dependencies, changes, limits: { ...limits, subscriptions: MANY } }) }
}
type Server = ReturnType<typeof serve>['server']

const following = (selected: string) => `subscription ($id: ID!) { assessmentChanged(id: $id) { ${selected} } }`
const SELECTED = 'version assessment { version name entity { name } }'

async function rename(server: Server, { key }: Story, id: string, name: string): Promise<void> {
  const response = await server.fetch('http://gateway.test/graphql', {
    method: 'POST',
    headers: { apikey: key, 'content-type': 'application/json' },
    body: JSON.stringify({ query: 'mutation ($id: ID!, $name: String) { updateAssessment(id: $id, input: { name: $name }) { __typename } }', variables: { id, name } }),
  })
  expect(await response.json()).toMatchObject({ data: { updateAssessment: { __typename: 'UpdateAssessmentSuccess' } } })
}

const nextOf = (streams: EventStream[]) => Promise.all(streams.map((stream) => stream.next()))
const event = (version: number, name: string) => ({ data: { assessmentChanged: { version, assessment: { version, name, entity: { name: 'Acme Coffee' } } } } })
const lookedFor = (statements: string[]) => statements.filter((sql) => sql.includes('wanted."rowId"'))
const asked = (statements: string[]) => statements.filter((sql) => sql.includes('"hash" = ANY'))

/** Subscribes so often, by keys in turn, and waits until all of them have looked for the first time. */
async function audience(server: Server, org: Story, id: string, keys: string[], size: number, query = following(SELECTED)): Promise<EventStream[]> {
  const streams = await Promise.all(Array.from({ length: size }, (_, index) => subscribe(server, keys[index % keys.length] ?? '', query, { id })))
  // Whoever has heard of a write waits for the next one.
  await rename(server, org, id, 'first')
  await nextOf(streams)
  await idle()
  return streams
}

describe('subscribers of one row', () => {
  test('take as many statements for a write as one of them, whatever keys they have', async () => {
    const { server } = serve()
    const org = await anOrganisation()
    const keys = await Promise.all(Array.from({ length: 10 }, () => org.keyWith(['ASSESSMENTS_READ'])))
    const taken: string[][] = []
    for (const size of [1, 50]) {
      const { id } = await org.assessment()
      const streams = await audience(server, org, id, keys, size)
      let events: unknown[] = []
      const statements = await statementsOf(async () => {
        await rename(server, org, id, 'second')
        events = await nextOf(streams)
      })
      expect(events).toEqual(events.map(() => event(3, 'second')))
      await Promise.all(streams.map((stream) => stream.leave()))
      taken.push(statements.toSorted())
    }
    expect(taken[1]).toEqual(taken[0])
    expect(lookedFor(taken[0] ?? [])).toHaveLength(1)
    // The writer, and all of the subscribers.
    expect(asked(taken[0] ?? [])).toHaveLength(2)
  })

  test('are each told what they select, by one read for each selection', async () => {
    const { server } = serve()
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const [named, placed] = [following('assessment { name }'), following('assessment { entity { name } status }')]
    const streams = [await audience(server, org, id, [org.key], 5, named), await audience(server, org, id, [org.key], 5, placed)]
    await nextOf(streams[0] ?? [])
    let events: unknown[][] = []
    const statements = await statementsOf(async () => {
      await rename(server, org, id, 'second')
      events = await Promise.all(streams.map(nextOf))
    })
    expect(events).toEqual([
      Array.from({ length: 5 }, () => ({ data: { assessmentChanged: { assessment: { name: 'second' } } } })),
      Array.from({ length: 5 }, () => ({ data: { assessmentChanged: { assessment: { entity: { name: 'Acme Coffee' }, status: 'DRAFT' } } } })),
    ])
    const read = statements.filter((sql) => /^\s*SELECT .*FROM "(\w+"\.")?Assessment"/s.test(sql))
    // The write reads the row before it changes it.
    expect(read).toHaveLength(3)
  })

  test('hear of it in many turns of the event loop', async () => {
    const { server } = serve()
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const streams = await audience(server, org, id, [org.key], 500)
    let turn = 0
    let isDone = false
    const count = () => {
      turn += 1
      if (!isDone) setImmediate(count)
    }
    await rename(server, org, id, 'second')
    count()
    const heardIn = await Promise.all(streams.map(async (stream) => {
      expect(await stream.next()).toEqual(event(3, 'second'))
      return turn
    }))
    isDone = true
    const perTurn = new Map<number, number>()
    for (const it of heardIn) perTurn.set(it, (perTurn.get(it) ?? 0) + 1)
    expect(perTurn.size).toBeGreaterThanOrEqual(40)
    // So many begin in a turn, and those of the turn before may be written in it.
    expect(Math.max(...perTurn.values())).toBeLessThanOrEqual(2 * EVENTS_AT_A_TIME)
  })
})

describe('subscribers of many rows', () => {
  test('look for changes and ask for their credentials by one statement', async () => {
    const { server, changes } = serve()
    const [one, other] = [await anOrganisation(), await anOrganisation()]
    const ids: string[] = []
    for (const org of [one, other]) {
      for (let row = 0; row < 10; row += 1) {
        const { id } = await org.assessment()
        ids.push(id)
        await audience(server, org, id, [org.key], 2)
      }
    }
    const statements = await statementsOf(async () => {
      changes.announce(ids)
      await idle()
    })
    expect(lookedFor(statements)).toHaveLength(1)
    expect(asked(statements)).toHaveLength(1)
  })

  test('ask once for a token that they share', async () => {
    const secret = new TextEncoder().encode('a shared secret of more than 32 characters')
    const claims = { organisationClaim: 'organisation_id', subjectClaim: 'sub', scopesClaim: 'scope' }
    const authenticate = createAuthenticate(database.statements, { issuer: 'https://id.test', audience: 'gateway', algorithms: ['HS256'], key: { secret }, log, ...claims })
    const changes = new LocalChangeSignals()
    const server = createServer({ ...dependencies, changes, authenticate })
    const org = await anOrganisation()
    const signed = new SignJWT({ organisation_id: org.id, scope: 'ASSESSMENTS_READ' }).setProtectedHeader({ alg: 'HS256' }).setIssuer('https://id.test').setAudience('gateway').setSubject('ada')
    const authorization = `Bearer ${await signed.setExpirationTime('1h').sign(secret)}`
    const ids = await Promise.all(Array.from({ length: 5 }, async () => (await org.assessment()).id))
    const streams = await Promise.all(ids.map((id) => subscribe(server, { authorization }, following(SELECTED), { id })))
    for (const id of ids) await rename(server, org, id, 'first')
    await nextOf(streams)
    await idle()
    // Without a signal, so that all of them look at the same time.
    for (const id of ids) await rename(createServer({ ...dependencies, changes: new LocalChangeSignals() }), org, id, 'second')
    const statements = await statementsOf(async () => {
      changes.announce(ids)
      expect(await nextOf(streams)).toEqual(ids.map(() => event(3, 'second')))
    })
    expect(lookedFor(statements)).toHaveLength(1)
    expect(statements.filter((sql) => sql.includes('asked."subject"'))).toHaveLength(1)
  })

  test('of other organisations hear nothing', async () => {
    const { server, changes } = serve()
    const [one, other] = [await anOrganisation(), await anOrganisation()]
    const [mine, theirs] = [await one.assessment(), await other.assessment()]
    const [here = expect.fail(), there = expect.fail()] = [...(await audience(server, one, mine.id, [one.key], 1)), ...(await audience(server, other, theirs.id, [other.key], 1))]
    await rename(server, one, mine.id, 'mine')
    changes.announce([theirs.id])
    expect(await here.next()).toEqual(event(3, 'mine'))
    await rename(server, other, theirs.id, 'theirs')
    expect(await there.next()).toEqual(event(3, 'theirs'))
  })
})

describe('without any write', () => {
  test.each(['is revoked', 'is deleted'])('a subscription ends at the next poll when its key %s', async (how) => {
    const { server, changes } = serve(20)
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const key = await org.keyWith(['ASSESSMENTS_READ'])
    const [stays, ends] = [await subscribe(server, org.key, following(SELECTED), { id }), await subscribe(server, key, following(SELECTED), { id })]
    const where = { organisationId: org.id, scopes: { equals: ['ASSESSMENTS_READ' as const] } }
    if (how === 'is revoked') await db.apiKey.updateMany({ where, data: { revokedAt: new Date() } })
    else await db.apiKey.deleteMany({ where })
    expect(await ends.next()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] })
    expect(await ends.next()).toBeNull()
    expect(changes.following).toBe(1)
    await rename(server, org, id, 'second')
    expect(await stays.next()).toEqual(event(2, 'second'))
  })

  test('a subscription ends at the next poll when its session expires', async () => {
    const { server } = serve(20)
    const org = await anOrganisation()
    await org.user({ subject: 'ada' })
    const { id } = await org.assessment()
    const session = await createSession(db, { organisationId: org.id, subject: 'ada', scopes: ['ASSESSMENTS_READ'], minutes: 5 })
    if (isFailure(session)) throw new Error(session.message)
    const stream = await subscribe(server, { 'x-session-token': session.token }, following(SELECTED), { id })
    await db.session.update({ where: { id: session.id }, data: { expiresAt: new Date(Date.now() - 1) } })
    expect(await stream.next()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] })
    expect(await stream.next()).toBeNull()
  })

  test('a change of which no signal came is heard at the next poll', async () => {
    const { server } = serve(20)
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const stream = await subscribe(server, org.key, following(SELECTED), { id })
    await rename(createServer({ ...dependencies, changes: new LocalChangeSignals() }), org, id, 'unheard of')
    expect(await stream.next()).toEqual(event(2, 'unheard of'))
  })
})

test('each event has its own allowance of what may be read, however many were before it', async () => {
  const { changes } = serve()
  const server = createServer({ ...dependencies, changes, limits: { ...limits, answerBytes: 50_000 } })
  const org = await anOrganisation()
  const { id } = await org.assessment()
  const question = () => ({ id: randomUUID(), text: 'x'.repeat(6_000), topic: 'risk' })
  const sections = [{ title: 'A', questions: Array.from({ length: 5 }, question) }]
  await db.assessment.update({ where: { id }, data: { sections, version: { increment: 1 }, changedBy: 'system:test' } })
  const stream = await subscribe(server, org.key, following('version assessment { sections { questions { text } } }'), { id })
  for (let version = 3; version < 7; version += 1) {
    await rename(createServer({ ...dependencies, changes }), org, id, `Version ${version}`)
    expect(await stream.next()).toMatchObject({ data: { assessmentChanged: { version, assessment: {} } } })
  }
})

test.runIf('url' in inject('database'))('a write of this process is looked for once, although its notification comes back to it', async () => {
  const [here, there] = await signalsOfTwoProcesses()
  const server = createServer({ ...dependencies, changes: here })
  const org = await anOrganisation()
  const { id } = await org.assessment()
  const [stream = expect.fail()] = await audience(server, org, id, [org.key], 1)
  const statements = await statementsOf(async () => {
    // The first one that is heard may still be the one before.
    for (const name of ['second', 'third']) {
      const heardElsewhere = new Promise<void>((resolve) => onTestFinished(there.follow(id, resolve)))
      await rename(server, org, id, name)
      await stream.next()
      await heardElsewhere
    }
    await idle()
  })
  expect(lookedFor(statements)).toHaveLength(2)
})

test('a subscriber that does not read has few events made for it', async () => {
  const { server } = serve()
  const org = await anOrganisation()
  const { id } = await org.assessment()
  const counting = following('version assessment { version history(first: 100) { nodes { actor changedPaths requestId } } }')
  const [read, unread] = [await subscribe(server, org.key, counting, { id }), await subscribe(server, org.key, counting, { id })]
  const statements = await statementsOf(async () => {
    for (let version = 2; version <= 61; version += 1) {
      await rename(server, org, id, `name ${version}`)
      await read.next()
    }
    await idle()
  })
  // One of each that is told, which nobody shares.
  const histories = statements.filter((sql) => sql.includes('"Revision"') && !sql.includes('LATERAL'))
  expect(histories.length).toBeGreaterThanOrEqual(60)
  expect(histories.length).toBeLessThan(60 + 30)
  const versions = z.object({ data: z.object({ assessmentChanged: z.object({ version: z.number() }) }) })
  for (let version = 2; version <= 61; version += 1) expect(versions.parse(await unread.next()).data.assessmentChanged.version).toBe(version)
})
