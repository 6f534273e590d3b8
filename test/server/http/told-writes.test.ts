// What the client of a mutation is told when something fails after, or while, it has written.
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { describe, expect, inject, test } from 'vitest'
import { z } from 'zod'
import type { Database } from '../../../src/database/client.js'
import type { RequestScope } from '../../../src/request-scope/request-scope.js'
import { createServer } from '../../../src/server/server.js'
import { afterWriting, gatewayWith, type Moments, takeConnection, withOneConnection } from '../../after-writing.js'
import { afterTest } from '../../gateway-process.js'
import { answer, database, db, dependencies, post } from '../../gateway.js'
import { anOrganisation, OPTIONS, type Story } from '../../story.js'

const place = inject('database')
const isPostgres = 'url' in place

const updating = (selection: string) => `mutation ($id: ID!) {
  updateAssessment(id: $id, expectedVersion: 1, input: { progress: 7 }) { ... on UpdateAssessmentSuccess { assessment { version ${selection} } } }
}`
const UPDATE = updating('history { nodes { version } }')

const REFRESH = 'mutation ($id: ID!) { refreshAssessments(assessmentIds: [$id]) { __typename } }'

type Gateway = Parameters<typeof post>[3]

async function told({ key }: Pick<Story, 'key'>, gateway: Gateway, query: string, variables: object) {
  const response = await post({ apikey: key }, query, variables, gateway)
  const { data, errors = [] } = answer.parse(await response.json())
  return { status: response.status, retryAfter: response.headers.get('retry-after'), data, errors }
}

async function versionOf(id: string): Promise<number> {
  return (await db.assessment.findUniqueOrThrow({ where: { id } })).version
}

const uncertain: unknown = expect.stringContaining('may or may not be written')

describe('what was returned stays beside a nullable field that could not be read', () => {
  const shown = ['an unexpected error', ...(isPostgres ? ['no connection'] : [])]

  test.each(shown)('%s', async (name) => {
    const org = await anOrganisation()
    const { id } = await org.assessment()
    await withOneConnection(async (connections) => {
      const { moments = {}, clear } = afterWriting[name]?.fault(connections) ?? {}
      const { status, data, errors } = await told(org, gatewayWith(connections, moments), updating('outcome { name }'), { id })
      await clear?.()
      expect({ status, data }).toEqual({ status: 200, data: { updateAssessment: { assessment: { version: 2, outcome: null } } } })
      expect(errors).toMatchObject([
        { path: ['updateAssessment', 'assessment', 'outcome'], extensions: { code: 'PARTIAL_FAILURE', written: [{ id, version: 2 }] } },
      ])
    })
  })
})

test('an operation that does not end with its deadline is answered with what it wrote', async () => {
  const org = await anOrganisation()
  const { id } = await org.assessment()
  let end = () => {}
  const moments: Moments = {
    written: (scope) => scope.prolongDeadline(0),
    reading: (scope) => (scope.writes.areNone ? undefined : new Promise<void>((resolve) => (end = resolve))),
  }
  const { status, data, errors } = await told(org, gatewayWith(database, moments), UPDATE, { id })
  end()
  expect({ status, data }).toEqual({ status: 200, data: null })
  const message = `The operation took too long and was ended. Version 2 of ${id} was written: read it again instead of sending the request again.`
  expect(errors).toEqual([{ message, extensions: { code: 'PARTIAL_FAILURE', written: [{ id, version: 2 }] } }])
})

describe('an error that a client can act on keeps its code', () => {
  const failing = {
    FORBIDDEN: 'template { records { totalCount } }',
    BAD_USER_INPUT: 'history(after: "no cursor") { totalCount }',
  }
  test.each(Object.entries(failing))('%s', async (code, selection) => {
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const { status, errors } = await told({ key: await org.keyWith(['ASSESSMENTS_WRITE']) }, undefined, updating(selection), { id })
    expect(status).toBe(200)
    expect(errors).toMatchObject([{ extensions: { code, written: [{ id, version: 2 }] } }])
    expect(errors[0]?.message).toContain(`Version 2 of ${id} was written`)
  })
})

test('an error on the way out of the gateway is told as any other', async () => {
  const org = await anOrganisation()
  const { id } = await org.assessment()
  const execution = {
    onExecute: () => ({
      onExecuteDone() {
        throw new Error('The result is lost.')
      },
    }),
  }
  const { status, errors } = await told(org, createServer({ ...dependencies, execution }), UPDATE, { id })
  expect(status).toBe(200)
  expect(errors).toMatchObject([{ extensions: { code: 'PARTIAL_FAILURE', written: [{ id, version: 2 }] } }])
})

test('a payload that is too long is told as any other', async () => {
  const org = await anOrganisation()
  const { sourcedId, id } = await org.result()
  const comment = 'x'.repeat(65_536)
  const query = `mutation ($sourcedId: ID!, $input: PutAssessmentResultInput!) {
    putAssessmentResult(sourcedId: $sourcedId, input: $input) {
      ... on PutAssessmentResultSuccess { assessmentResult { ${Array.from({ length: 16 }, (_, index) => `a${index}: comment`).join(' ')} } }
    }
  }`
  const gateway = createServer({ ...dependencies, limits: { ...dependencies.limits, answerBytes: 1_000_000 } })
  const { status, data, errors } = await told(org, gateway, query, { sourcedId, input: await org.resultInput({ comment }) })
  expect({ status, data }).toEqual({ status: 200, data: null })
  expect(errors).toMatchObject([{ extensions: { code: 'PARTIAL_FAILURE', limit: 'bytes', written: [{ id, version: 2 }] } }])
})

test('of many rows the first 100 are named', async () => {
  const org = await anOrganisation()
  const [template, { qid }] = [await org.template(), await org.question()]
  const sections = [{ title: 'Risk', questions: [{ id: randomUUID(), qid, revision: 1, text: '', topic: 'risk', difficulty: 'EASY', options: OPTIONS, answerKey: null }] }]
  const columns = { organisationId: org.id, name: 'One of many', templateId: template.id, templateType: template.type, changedBy: 'system:test', sections }
  const entity = { organisationId: org.id, name: 'Acme', companyType: 'Firm', country: 'Kenya' }
  const entities = await db.entity.createManyAndReturn({ data: Array.from({ length: 101 }, () => ({ ...entity, sourcedId: randomUUID() })) })
  await db.assessment.createMany({ data: entities.map(({ id }) => ({ ...columns, entityId: id, workflowState: 'ACTIVE', workflowStep: 'collect' })) })
  await db.question.updateMany({ where: { organisationId: org.id }, data: { text: 'How risky, really?', revision: { increment: 1 } } })
  const query = 'mutation { refreshAssessments { ... on RefreshAssessmentsSuccess { details { assessment { version } } } } }'
  const failing: Moments = {
    reading(scope) {
      if (!scope.writes.areNone) throw new Error('Nothing can be read.')
    },
  }
  const { errors: [error] } = await told(org, gatewayWith(database, failing), query, {})
  const written = z.array(z.object({ id: z.string(), version: z.literal(2) })).parse(error?.extensions?.['written'])
  expect(new Set(written.map((it) => it.id)).size).toBe(100)
  expect(error?.message).toContain('101 rows were written, the first 100 of them are in extensions.written')
  expect(await db.assessment.count({ where: { organisationId: org.id, version: 2 } })).toBe(101)
})

describe.runIf(isPostgres)('on PostgreSQL', () => {
  /** Another session, which can lock what the gateway needs. */
  async function outside(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: 'url' in place ? place.url : '' })
    await client.connect()
    afterTest(() => client.end())
    return client
  }

  async function isBlocked(pid: number): Promise<boolean> {
    const [row] = await database.statements.rows<{ blocked: boolean }>('SELECT cardinality(pg_blocking_pids($1)) > 0 AS blocked', [pid])
    return row?.blocked === true
  }

  const pidOf = async ({ statements }: Database) => (await statements.rows<{ pid: number }>('SELECT pg_backend_pid() AS pid', []))[0]?.pid ?? 0

  test('a mutation between slow queries, which leave no connection for its payload', async () => {
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const [first, second] = [await outside(), await outside()]
    const locking = 'LOCK TABLE "AssessmentLineItem" IN ACCESS EXCLUSIVE MODE'
    const SLOW = '{ assessmentLineItems { nodes { title } } }'
    await withOneConnection(async (connections) => {
      const gateway = gatewayWith(connections)
      const waiting = (count: number) => expect.poll(() => connections.pool.waiting).toBe(count)
      const pid = await pidOf(connections)
      await first.query(`BEGIN; ${locking}`)
      const before = told(org, gateway, SLOW, {})
      await expect.poll(() => isBlocked(pid)).toBe(true)
      const written = told(org, gateway, UPDATE, { id })
      await waiting(1)
      const behind = told(org, gateway, SLOW, {})
      await waiting(2)
      // It is granted when the first query ends, before the other one is sent.
      const locked = second.query(`BEGIN; ${locking}`)
      await expect.poll(() => isBlocked(z.object({ processID: z.number() }).parse(second).processID)).toBe(true)
      await first.query('ROLLBACK')
      await locked
      const { status, retryAfter, data, errors } = await written
      await second.query('ROLLBACK')
      for (const query of [before, behind]) expect(await query).toMatchObject({ status: 200, errors: [] })
      expect({ status, retryAfter, data }).toEqual({ status: 200, retryAfter: null, data: { updateAssessment: null } })
      expect(errors).toMatchObject([{ extensions: { code: 'PARTIAL_FAILURE', written: [{ id, version: await versionOf(id) }] } }])
    }, 5_000)
  })

  test('a mutation whose deadline passes while it waits for a connection has written nothing', async () => {
    const org = await anOrganisation()
    const { id } = await org.assessment()
    await withOneConnection(async (connections) => {
      const taken = await takeConnection(connections)
      const scopes: RequestScope[] = []
      const answer = told(org, gatewayWith(connections, { writing: (scope) => void scopes.push(scope) }), UPDATE, { id })
      await expect.poll(() => connections.pool.waiting).toBe(1)
      for (const scope of scopes) scope.prolongDeadline(0)
      expect(await answer).toMatchObject({ status: 504, errors: [{ extensions: { code: 'TIMEOUT' } }] })
      taken.release()
    }, 60_000)
    expect(await versionOf(id)).toBe(1)
  })

  // Once a request has found no connection, all that it sends after that is refused at once.
  const firsts = { 'the second gets no connection': ['', ['second']], 'the first’s payload gets no connection': ['outcome { name }', ['first', 'second']] } as const
  test.each(Object.entries(firsts))('two mutations of one document, of which %s', async (_, [selection, failing]) => {
    const org = await anOrganisation()
    const [{ id }, { id: other }] = [await org.assessment(), await org.assessment()]
    await withOneConnection(async (connections) => {
      const taken: { release(): void }[] = []
      const written = async () => void taken.push(await takeConnection(connections))
      const query = `mutation ($id: ID!, $other: ID!) {
        first: updateAssessment(id: $id, input: { progress: 7 }) { ... on UpdateAssessmentSuccess { assessment { version ${selection} } } }
        second: updateAssessment(id: $other, expectedVersion: 1, input: { progress: 7 }) { __typename }
      }`
      const { status, retryAfter, data, errors } = await told(org, gatewayWith(connections, { written }), query, { id, other })
      for (const it of taken) it.release()
      expect({ status, retryAfter, data }).toMatchObject({ status: 200, retryAfter: null, data: { first: { assessment: { version: 2 } }, second: null } })
      expect(errors.map(({ path }) => path?.[0])).toEqual(failing)
      for (const { extensions } of errors) expect(extensions).toMatchObject({ code: 'PARTIAL_FAILURE', written: [{ id, version: 2 }] })
      expect([await versionOf(id), await versionOf(other)]).toEqual([2, 1])
    })
  })

  const ends: Record<string, (pid: number, scope: RequestScope) => unknown> = {
    'the deadline passes': (_, scope) => scope.prolongDeadline(0),
    'the connection is cut': (pid) => database.statements.rows('SELECT pg_terminate_backend($1)', [pid]),
  }

  /** Sends a mutation, an update unless told otherwise, of a new assessment, and ends its statement that waits for what `lock` locks. */
  async function endedWhileBlocked(
    lock: (client: pg.Client, id: string) => Promise<unknown>,
    end: (pid: number, scope: RequestScope) => unknown,
    mutation = updating('outcome { name }'),
  ) {
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const locking = await outside()
    await locking.query('BEGIN')
    await lock(locking, id)
    let answered: Awaited<ReturnType<typeof told>> | undefined
    await withOneConnection(async (connections) => {
      const pid = await pidOf(connections)
      const scopes: RequestScope[] = []
      const gateway = gatewayWith(connections, { writing: (scope) => void scopes.push(scope) })
      const answer = told(org, gateway, mutation, { id })
      await expect.poll(() => isBlocked(pid)).toBe(true)
      for (const scope of scopes) await end(pid, scope)
      answered = await answer
    })
    await locking.query('ROLLBACK')
    return { id, answered }
  }

  test.each(Object.entries(ends))('what was returned stays when %s while a nullable field is read', async (_, end) => {
    const { id, answered } = await endedWhileBlocked((client) => client.query('LOCK TABLE "Outcome" IN ACCESS EXCLUSIVE MODE'), end)
    const error = { path: ['updateAssessment', 'assessment', 'outcome'], extensions: { code: 'PARTIAL_FAILURE', written: [{ id, version: 2 }] } }
    expect(answered).toMatchObject({
      status: 200,
      retryAfter: null,
      data: { updateAssessment: { assessment: { version: await versionOf(id), outcome: null } } },
      errors: [error],
    })
  })

  test.each(Object.entries(ends))('a mutation is told that nobody knows when %s while it writes', async (_, end) => {
    const { answered } = await endedWhileBlocked((client, id) => client.query('SELECT 1 FROM "Assessment" WHERE "id" = $1 FOR UPDATE', [id]), end)
    const error = { path: ['updateAssessment'], message: uncertain, extensions: { code: 'OUTCOME_UNKNOWN', written: [] } }
    expect(answered).toMatchObject({ status: 200, retryAfter: null, data: { updateAssessment: null }, errors: [error] })
  })

  test.each(Object.entries(ends))('a transaction that is not being committed has written nothing when %s', async (_, end) => {
    const { id, answered } = await endedWhileBlocked((client, id) => client.query('SELECT 1 FROM "Assessment" WHERE "id" = $1 FOR UPDATE', [id]), end, REFRESH)
    expect(answered).toMatchObject({ data: { refreshAssessments: null }, errors: [{ path: ['refreshAssessments'] }] })
    expect(['TIMEOUT', 'INTERNAL_SERVER_ERROR']).toContain(answered?.errors[0]?.extensions?.['code'])
    expect(await versionOf(id)).toBe(1)
  })
})
