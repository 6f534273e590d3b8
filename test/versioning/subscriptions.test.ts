import { SignJWT } from 'jose'
import pino from 'pino'
import { describe, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { createAuthenticate } from '../../src/server/authentication.js'
import { createSession } from '../../src/organisations/service.js'
import { contextFactory } from '../../src/server/context.js'
import { createServer } from '../../src/server/server.js'
import { ChangeStream } from '../../src/versioning/change-stream.js'
import type { JwtSettings } from '../../src/server/tokens.js'
import { type ChangeSignals, LocalChangeSignals } from '../../src/database/change-signals.js'
import { isFailure } from '../../src/domain/failures.js'
import { subscribe as eventStream, signalsOfTwoProcesses } from '../event-streams.js'
import { database, db, dependencies } from '../gateway.js'
import { anOrganisation, type Story } from '../story.js'

const event = z.object({
  data: z
    .object({
      assessmentChanged: z.object({
        version: z.number(),
        changedPaths: z.array(z.string()),
        actor: z.string(),
        assessment: z.object({ version: z.number(), name: z.string(), entity: z.object({ name: z.string() }), history: z.object({ nodes: z.array(z.object({ actor: z.string() })) }) }),
      }),
    })
    .nullish(),
  errors: z.array(z.object({ message: z.string(), extensions: z.object({ code: z.string() }) })).optional(),
})
type Event = z.output<typeof event>

const silent = pino({ level: 'silent' })
const serve = (changes: ChangeSignals, authenticate = dependencies.authenticate) => createServer({ ...dependencies, changes, authenticate })
type Server = ReturnType<typeof serve>

/** Subscribes to an assessment, and reads one event at a time. */
async function subscribe(server: Server, credential: string | Record<string, string>, id: string, sinceVersion: number | null = null) {
  const query = `subscription ($id: ID!, $sinceVersion: Int) {
    assessmentChanged(id: $id, sinceVersion: $sinceVersion) {
      version changedPaths actor assessment { version name entity { name } history(last: 1) { nodes { actor } } }
    }
  }`
  const stream = await eventStream(server, credential, query, { id, sinceVersion })
  return { leave: stream.leave, next: async (): Promise<Event | null> => event.nullable().parse(await stream.next()) }
}

async function rename(server: Server, org: Story, id: string, name: string): Promise<void> {
  const response = await server.fetch('http://gateway.test/graphql', {
    method: 'POST',
    headers: { apikey: org.key, 'content-type': 'application/json' },
    body: JSON.stringify({
      query: 'mutation ($id: ID!, $name: String) { updateAssessment(id: $id, input: { name: $name }) { __typename } }',
      variables: { id, name },
    }),
  })
  expect(await response.json()).toMatchObject({ data: { updateAssessment: { __typename: 'UpdateAssessmentSuccess' } } })
}

describe('assessmentChanged', () => {
  test('tells each change with its paths and the row as it is now', async () => {
    const server = serve(new LocalChangeSignals())
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const subscription = await subscribe(server, org.key, id)
    await rename(server, org, id, 'Second')
    const first = (await subscription.next())?.data?.assessmentChanged
    expect(first).toMatchObject({ version: 2, changedPaths: ['name'], assessment: { version: 2, name: 'Second', entity: { name: 'Acme Coffee' } } })
    // What the first event has loaded is not shown again.
    await db.revision.updateMany({ where: { assessmentId: id, version: 1 }, data: { actor: 'key:another' } })
    await rename(server, org, id, 'Third')
    expect((await subscription.next())?.data?.assessmentChanged).toMatchObject({
      version: 3,
      assessment: { version: 3, name: 'Third', history: { nodes: [{ actor: 'key:another' }] } },
    })
  })

  test('replays what came after sinceVersion, then goes on without gap or repeat', async () => {
    const server = serve(new LocalChangeSignals())
    const org = await anOrganisation()
    const { id } = await org.assessment()
    for (const name of ['2', '3', '4']) await rename(server, org, id, name)
    const subscription = await subscribe(server, org.key, id, 1)
    const writing = Promise.all(Array.from({ length: 20 }, (_, index) => rename(server, org, id, `racing ${index}`)))
    const versions: (number | undefined)[] = []
    while (versions.length < 23) versions.push((await subscription.next())?.data?.assessmentChanged.version)
    await writing
    expect(versions).toEqual(Array.from({ length: 23 }, (_, index) => index + 2))
  })

  test('a subscriber that reads nothing holds up neither writers nor other subscribers, and misses nothing', async () => {
    const server = serve(new LocalChangeSignals())
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const slow = await subscribe(server, org.key, id)
    const quick = await subscribe(server, org.key, id)
    for (let version = 2; version <= 151; version += 1) {
      await rename(server, org, id, `name ${version}`)
      expect((await quick.next())?.data?.assessmentChanged.version).toBe(version)
    }
    for (let version = 2; version <= 151; version += 1) {
      expect((await slow.next())?.data?.assessmentChanged.version).toBe(version)
    }
  })

  test('ends with an error as soon as the key is revoked', async () => {
    const server = serve(new LocalChangeSignals())
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const reader = await org.keyWith(['ASSESSMENTS_READ'])
    const subscription = await subscribe(server, reader, id)
    await rename(server, org, id, 'seen')
    expect((await subscription.next())?.data?.assessmentChanged.version).toBe(2)
    await db.apiKey.updateMany({ where: { organisationId: org.id, scopes: { equals: ['ASSESSMENTS_READ'] } }, data: { revokedAt: new Date() } })
    await rename(server, org, id, 'not seen')
    const last = await subscription.next()
    expect(last?.data?.assessmentChanged).toBeUndefined()
    expect(last?.errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED')
  })

  test('tells nothing that it has found before the key was revoked', async () => {
    const org = await anOrganisation()
    const { id } = await org.assessment()
    for (const name of ['2', '3']) await rename(serve(new LocalChangeSignals()), org, id, name)
    const credentials = new Headers({ apikey: org.key })
    const viewer = await dependencies.authenticate(credentials)
    if (!viewer) throw new Error('The key is good.')
    const contextOf = contextFactory({ ...dependencies, changes: new LocalChangeSignals(), refreshTimeoutMs: 1 })
    const stream = new ChangeStream(contextOf(viewer, credentials), { kind: 'Assessment', id, scope: 'ASSESSMENTS_READ' }, 0)
    for (const version of [1, 2]) expect((await stream.next()).value?.revision.version).toBe(version)
    await db.apiKey.updateMany({ where: { organisationId: org.id }, data: { revokedAt: new Date() } })
    await expect(stream.next()).rejects.toThrow('no longer valid')
    expect(await stream.next()).toEqual({ done: true, value: undefined })
  })

  test.each(['expires', 'is deleted'])('ends with an error as soon as the session %s', async (how) => {
    const server = serve(new LocalChangeSignals())
    const org = await anOrganisation()
    await org.user({ subject: 'ada' })
    const { id } = await org.assessment()
    const session = await createSession(db, { organisationId: org.id, subject: 'ada', scopes: ['ASSESSMENTS_READ'], minutes: 5 })
    if (isFailure(session)) throw new Error(session.message)
    const subscription = await subscribe(server, { 'x-session-token': session.token }, id)
    await rename(server, org, id, 'seen')
    expect((await subscription.next())?.data?.assessmentChanged.version).toBe(2)
    if (how === 'expires') await db.session.update({ where: { id: session.id }, data: { expiresAt: new Date(Date.now() - 1) } })
    else await db.session.delete({ where: { id: session.id } })
    await rename(server, org, id, 'not seen')
    const last = await subscription.next()
    expect(last?.data?.assessmentChanged).toBeUndefined()
    expect(last?.errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED')
  })

  test('ends with an error as soon as the token has expired', async () => {
    const secret = new TextEncoder().encode('a shared secret of more than 32 characters')
    const claims = { organisationClaim: 'organisation_id', subjectClaim: 'sub', scopesClaim: 'scope' }
    const jwt: JwtSettings = { issuer: 'https://id.test', audience: 'gateway', algorithms: ['HS256'], key: { secret }, ...claims }
    const server = serve(new LocalChangeSignals(), createAuthenticate(database.statements, { ...jwt, log: silent }))
    const org = await anOrganisation()
    const { id } = await org.assessment()
    // It is good for the seconds by which clocks may differ, and no longer.
    const token = await new SignJWT({ organisation_id: org.id, scope: 'ASSESSMENTS_READ' })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer('https://id.test')
      .setAudience('gateway')
      .setSubject('ada')
      .setExpirationTime(Math.floor(Date.now() / 1000))
      .sign(secret)
    const subscription = await subscribe(server, { authorization: `Bearer ${token}` }, id)
    let seen = 0
    let last: Event | null
    do {
      await rename(server, org, id, `name ${seen}`)
      last = await subscription.next()
      if (last?.data) seen += 1
    } while (last?.data)
    expect(seen).toBeGreaterThan(0)
    expect(last?.errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED')
  })

  test.each([
    ['another organisation’s assessment', 'NOT_FOUND'],
    ['a malformed id', 'NOT_FOUND'],
    ['a key without the scope', 'FORBIDDEN'],
    ['a negative sinceVersion', 'BAD_USER_INPUT'],
  ])('refuses %s with %s', async (what, code) => {
    const server = serve(new LocalChangeSignals())
    const [org, other] = [await anOrganisation(), await anOrganisation()]
    const { id } = await org.assessment()
    const subscription =
      what === 'a malformed id'
        ? await subscribe(server, org.key, 'nonsense')
        : what === 'a negative sinceVersion'
          ? await subscribe(server, org.key, id, -1)
          : what === 'a key without the scope'
            ? await subscribe(server, await org.keyWith(['RECORDS_READ']), id)
            : await subscribe(server, other.key, id)
    const answer = await subscription.next()
    expect(answer?.errors?.[0]?.extensions.code).toBe(code)
  })

  test('a subscriber that goes away leaves nothing behind', async () => {
    const changes = new LocalChangeSignals()
    const server = serve(changes)
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const subscription = await subscribe(server, org.key, id, 0)
    expect((await subscription.next())?.data?.assessmentChanged.version).toBe(1)
    await expect.poll(() => changes.following).toBe(1)
    await subscription.leave()
    await expect.poll(() => changes.following).toBe(0)
  })

  test.runIf('url' in inject('database'))('hears of a change that another replica has written', async () => {
    const [here, there] = await signalsOfTwoProcesses()
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const subscription = await subscribe(serve(here), org.key, id, 0)
    expect((await subscription.next())?.data?.assessmentChanged.version).toBe(1)
    await rename(serve(there), org, id, 'from there')
    expect((await subscription.next())?.data?.assessmentChanged).toMatchObject({ version: 2, assessment: { name: 'from there' } })
  })
})
