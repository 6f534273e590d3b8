// Operations that are late, abandoned or without a connection, in a database whose tables the test can lock.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { createAuthenticate } from '../../../src/server/authentication.js'
import { type Database, openDatabase } from '../../../src/database/client.js'
import { seedWhenEmpty } from '../../../src/demo/data.js'
import { migrate } from '../../../src/database/migrations.js'
import { createKey } from '../../../src/organisations/service.js'
import { RequestScope, runInScope } from '../../../src/request-scope/request-scope.js'
import { NoConnectionError, RequestPool } from '../../../src/database/pool.js'
import { updateAssessment } from '../../../src/assessments/service.js'
import { commandViewer } from '../../../src/domain/viewer.js'
import { createServer } from '../../../src/server/server.js'
import type { Limits } from '../../../src/server/pipeline.js'
import { createStore } from '../../../src/sql-store/index.js'
import { isFailure } from '../../../src/domain/failures.js'
import { LocalChangeSignals } from '../../../src/database/change-signals.js'
import { subscribe } from '../../event-streams.js'
import { dependencies, limits } from '../../gateway.js'

const place = inject('database')
const SHORT_MS = 400

function placeOf(database: string): string {
  const url = new URL('url' in place ? place.url : '')
  url.pathname = `/${database}`
  return url.href
}

// The embedded database has one connection, which nothing else can keep waiting.
describe.runIf('url' in place)('an operation', () => {
  let admin: pg.Client
  let outside: pg.Client
  let database: Database
  let key = ''
  let assessment = { id: '', version: 0 }
  const name = `gateway_interruption_${randomBytes(6).toString('hex')}`

  beforeAll(async () => {
    const url = new URL('url' in place ? place.url : '')
    admin = new pg.Client({ connectionString: url.href })
    await admin.connect()
    await admin.query(`CREATE DATABASE ${name}`)
    url.pathname = `/${name}`
    outside = new pg.Client({ connectionString: url.href })
    await outside.connect()
    const migrating = await openDatabase({ url: url.href, poolSize: 1 })
    await migrate(migrating.adapter)
    await seedWhenEmpty(migrating.client)
    const { id: organisationId } = await migrating.client.organisation.findFirstOrThrow({ where: { name: 'Northwind Assurance' } })
    const created = await createKey(migrating.client, { organisationId, scopes: ['ASSESSMENTS_WRITE'], subject: undefined })
    if (isFailure(created)) throw new Error(created.message)
    key = created.key
    assessment = await migrating.client.assessment.findFirstOrThrow({ where: { organisationId, status: 'DRAFT' } })
    await migrating.close()
    database = await openDatabase({ url: url.href, poolSize: 2, poolTimeoutMs: SHORT_MS })
  })
  afterAll(async () => {
    await database.close()
    await outside.end()
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`)
    await admin.end()
  })

  const serverWith = (changed: Partial<Limits>, changes = new LocalChangeSignals()) =>
    createServer({ ...dependencies, changes, store: createStore(database.client, database.statements), authenticate: createAuthenticate(database.statements, undefined), limits: { ...limits, ...changed } })

  const LIST = '{ assessments { totalCount } }'
  const BY_ID = 'query ($id: ID!) { assessment(id: $id) { name } }'
  // Nothing of either may be left to reject unheard.
  const SAME_TWICE = 'query ($reference: _Any!) { _entities(representations: [$reference, $reference]) { ... on Assessment { name } } }'
  const UPDATE = 'mutation ($id: ID!) { updateAssessment(id: $id, input: { progress: 7 }) { __typename } }'
  const requestOf = (query: string) => ({
    method: 'POST',
    headers: { apikey: key, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables: { id: assessment.id, reference: { __typename: 'Assessment', id: assessment.id } } }),
  })
  const url = 'http://gateway.test/graphql'
  const codes = z.object({ errors: z.tuple([z.object({ extensions: z.object({ code: z.string() }) })]) })
  const codeOf = async (response: Response) => codes.parse(await response.json()).errors[0].extensions.code

  /** Runs while nobody else can read or write assessments. */
  async function whileLocked(run: () => Promise<void>): Promise<void> {
    await outside.query('BEGIN')
    await outside.query('LOCK TABLE "Assessment" IN ACCESS EXCLUSIVE MODE')
    await run().finally(() => outside.query('ROLLBACK'))
  }

  /** Statements of the gateway that wait for the lock. */
  async function waiting(): Promise<number> {
    const { rowCount } = await admin.query(`SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'`, [name])
    return rowCount ?? 0
  }
  const until = (count: number) => expect.poll(waiting, { timeout: 20_000 }).toBe(count)

  test.each([['a query', LIST], ['one by id', BY_ID], ['the same entity twice', SAME_TWICE], ['a mutation', UPDATE]])('that is late is a 504, and its SQL ends: %s', async (_, query) => {
    const gateway = serverWith({ operationTimeoutMs: SHORT_MS })
    await whileLocked(async () => {
      const response = await gateway.fetch(url, requestOf(query))
      expect(response.status).toBe(504)
      expect(await codeOf(response)).toBe('TIMEOUT')
      // The lock is held all the time.
      await until(0)
    })
    expect((await gateway.fetch(url, requestOf(LIST))).status).toBe(200)
  })

  test('that shares its statement with others is a 504 like them, and its SQL ends', async () => {
    const gateway = serverWith({ operationTimeoutMs: SHORT_MS })
    await gateway.fetch(url, requestOf(BY_ID))
    await whileLocked(async () => {
      const asked = [1, 2, 3].map(() => gateway.fetch(url, requestOf(BY_ID)))
      await until(1)
      for (const response of await Promise.all(asked)) expect([response.status, await codeOf(response)]).toEqual([504, 'TIMEOUT'])
      await until(0)
    })
    expect((await gateway.fetch(url, requestOf(BY_ID))).status).toBe(200)
  })

  test('that shares its statement and is given up does not end that of the others', async () => {
    const gateway = serverWith({})
    await gateway.fetch(url, requestOf(BY_ID))
    const client = new AbortController()
    await whileLocked(async () => {
      const left = gateway.fetch(url, { ...requestOf(BY_ID), signal: client.signal })
      const others = [1, 2].map(() => gateway.fetch(url, requestOf(BY_ID)))
      await until(1)
      client.abort()
      await outside.query('ROLLBACK')
      for (const answered of await Promise.all(others)) {
        expect(await answered.json()).toMatchObject({ data: { assessment: {} } })
      }
      await left.catch(() => {})
      await outside.query('BEGIN')
    })
  })

  test('that refreshes assessments has a deadline of its own', async () => {
    const gateway = serverWith({ operationTimeoutMs: 1 })
    const refresh = 'mutation { ...Refresh } fragment Refresh on Mutation { refreshAssessments { __typename } }'
    // Locked, so that it is still reading when its time is up: nobody knows what became of a write.
    await whileLocked(async () => expect(await codeOf(await gateway.fetch(url, requestOf(UPDATE)))).toBe('TIMEOUT'))
    expect(await (await gateway.fetch(url, requestOf(refresh))).json()).toMatchObject({ data: { refreshAssessments: { __typename: 'RefreshAssessmentsSuccess' } } })
  })

  test('that only names refreshAssessments has the deadline of all others', async () => {
    const gateway = serverWith({ operationTimeoutMs: 1 })
    const skipped = 'mutation ($id: ID!) { refreshAssessments @skip(if: true) { __typename } updateAssessment(id: $id, input: { progress: 8 }) { __typename } }'
    await whileLocked(async () => expect(await codeOf(await gateway.fetch(url, requestOf(skipped)))).toBe('TIMEOUT'))
  })

  describe('whose client goes away', () => {
    let left: Promise<unknown> = Promise.resolve()
    const server = createHttpServer((request, response) => {
      left = once(response, 'close')
      return serverWith({}).listener(request, response)
    })
    let address = ''
    beforeAll(async () => {
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const bound = server.address()
      if (typeof bound === 'object' && bound) address = `http://127.0.0.1:${bound.port}/graphql`
    })
    afterAll(() => server.close())

    async function leave(query: string) {
      const client = new AbortController()
      const answered = fetch(address, { ...requestOf(query), signal: client.signal })
      await until(1)
      client.abort()
      await expect(answered).rejects.toThrow('aborted')
      // The server knows it too, while the lock is still held.
      await left
    }

    test('is given up when it is a query', async () => {
      await whileLocked(async () => {
        await leave(LIST)
        await until(0)
      })
    })

    test('is finished when it is a mutation', async () => {
      const { version } = await database.client.assessment.findUniqueOrThrow({ where: { id: assessment.id } })
      await whileLocked(() => leave(UPDATE))
      const versionOf = async () => (await database.client.assessment.findUniqueOrThrow({ where: { id: assessment.id } })).version
      await expect.poll(versionOf, { timeout: 20_000 }).toBe(version + 1)
    })
  })

  test.each(['query', 'connect'] as const)('that is interrupted while it waits for a connection waits no longer: %s', async (way) => {
    const pool = new RequestPool({ connectionString: placeOf(name), max: 1, share: 1, waitMs: Infinity, canInterrupt: true })
    const first = await pool.connect()
    const scope = new RequestScope('waiting')
    const waited = runInScope(scope, () => (way === 'query' ? pool.query('SELECT 1') : pool.connect()))
    const refused = expect(waited).rejects.toBeInstanceOf(NoConnectionError)
    scope.interrupt('ABANDONED')
    await refused
    expect({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waiting }).toEqual({ total: 1, idle: 0, waiting: 0 })
    first.release()
    await runInScope(new RequestScope('next'), () => pool.query('SELECT 1'))
    await pool.end()
  })

  test('that PostgreSQL ends to resolve a deadlock is done again', async () => {
    const { id, version, organisationId } = await database.client.assessment.findUniqueOrThrow({ where: { id: assessment.id } })
    await outside.query('BEGIN')
    // The revision that the write is going to make: it has locked the row when it has to wait for this.
    await outside.query(
      `INSERT INTO "Revision" ("organisationId", "assessmentId", "version", "changedPaths", "actor", "changedAt") VALUES ($1, $2, $3, '{}', 'system:test', now())`,
      [organisationId, id, version + 1],
    )
    const answered = serverWith({}).fetch(url, requestOf(UPDATE))
    await until(1)
    // The gateway has waited for longer, so that it is the one to notice and to be ended.
    await outside.query('SELECT 1 FROM "Assessment" WHERE "id" = $1 FOR UPDATE', [id])
    await outside.query('ROLLBACK')
    expect(await (await answered).json()).toMatchObject({ data: { updateAssessment: { __typename: 'UpdateAssessmentSuccess' } } })
    expect((await database.client.assessment.findUniqueOrThrow({ where: { id } })).version).toBe(version + 1)
  })

  test('of a command that PostgreSQL ends so inside of a transaction fails, as all of that is undone', async () => {
    const { id, version, organisationId } = await database.client.assessment.findUniqueOrThrow({ where: { id: assessment.id } })
    const organisation = await database.client.organisation.findUniqueOrThrow({ where: { id: organisationId } })
    await outside.query('BEGIN')
    await outside.query(
      `INSERT INTO "Revision" ("organisationId", "assessmentId", "version", "changedPaths", "actor", "changedAt") VALUES ($1, $2, $3, '{}', 'system:test', now())`,
      [organisationId, id, version + 1],
    )
    const written = expect(
      database.client.$transaction((store) => updateAssessment({ store, viewer: commandViewer(organisation, 'test') }, { id, input: { progress: 9 } })),
    ).rejects.toThrow('deadlock')
    await until(1)
    await outside.query('SELECT 1 FROM "Assessment" WHERE "id" = $1 FOR UPDATE', [id])
    await outside.query('ROLLBACK')
    await written
    expect((await database.client.assessment.findUniqueOrThrow({ where: { id } })).version).toBe(version)
  })

  test('without a free connection is a 503 that says when to come back, and nothing is wrong afterwards', async () => {
    const gateway = serverWith({})
    await whileLocked(async () => {
      const both = [1, 2].map(async () => gateway.fetch(url, requestOf(LIST)))
      await until(2)
      const response = await gateway.fetch(url, requestOf(LIST))
      expect(response.status).toBe(503)
      expect(response.headers.get('retry-after')).toBe('1')
      expect(await codeOf(response)).toBe('SERVICE_UNAVAILABLE')
      await outside.query('ROLLBACK')
      for (const answered of await Promise.all(both)) expect(answered.status).toBe(200)
      await outside.query('BEGIN')
    })
    expect((await gateway.fetch(url, requestOf(LIST))).status).toBe(200)
  })

  test('that shares its statement is overloaded like the others when there is no connection for it', async () => {
    const small = await openDatabase({ url: placeOf(name), poolSize: 1, poolTimeoutMs: SHORT_MS })
    const held = await small.pool.connect()
    const scopes = [new RequestScope('one'), new RequestScope('another')]
    const store = createStore(small.client, small.statements)
    const answers = scopes.map((scope) => runInScope(scope, async () => store.assessment.findUnique({ where: { id: assessment.id } })))
    for (const answer of answers) await expect(answer).rejects.toThrow('No connection')
    expect(scopes.map(({ interruption }) => interruption)).toEqual(['OVERLOADED', 'OVERLOADED'])
    held.release()
    await small.close()
  })

  test('that is an event of a subscription is told as late, its SQL ends, and the next one is told', async () => {
    const changes = new LocalChangeSignals()
    const gateway = serverWith({ operationTimeoutMs: SHORT_MS }, changes)
    const follow = () => subscribe(gateway, key, 'subscription ($id: ID!) { assessmentChanged(id: $id) { version assessment { progress } } }', { id: assessment.id })
    const streams = [await follow(), await follow()]
    // Without a signal, as if another process had written.
    expect((await serverWith({}).fetch(url, requestOf(UPDATE))).status).toBe(200)
    await whileLocked(async () => {
      changes.announce([assessment.id])
      for (const stream of streams) expect(await stream.next()).toMatchObject({ errors: [{ extensions: { code: 'TIMEOUT' } }] })
      // The lock is held all the time.
      await until(0)
    })
    expect((await gateway.fetch(url, requestOf(UPDATE))).status).toBe(200)
    for (const stream of streams) expect(await stream.next()).toMatchObject({ data: { assessmentChanged: { assessment: { progress: 7 } } } })
  })
})
