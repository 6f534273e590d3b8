// The gate's statement that is written as SQL here, against Prisma's own answers to the same changes.
import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import { Client } from 'pg'
import { afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { openDatabase } from '../../src/database/client.js'
import { Prisma } from '../../src/generated/prisma/client.js'
import { isDeadlock, isUniqueViolation } from '../../src/database/errors.js'
import { createStore } from '../../src/sql-store/index.js'
import { aWorld, type World } from '../fuzz/world.js'
import { database, db, statementsOf } from '../gateway.js'
import { anOrganisation } from '../story.js'

/** Prisma names tables with their schema, and our own statements do not. */
const BY_PRISMA = /"(public|tested)"\./

const store = createStore(db, database.statements)

interface Row {
  id: string
  organisationId: string
  version: number
}
interface Model {
  findFirst(query: object): PromiseLike<Row | null>
  updateManyAndReturn(change: { where: Row; data: object }): PromiseLike<Row[]>
}
type Kind = 'Assessment' | 'AssessmentRecord' | 'AssessmentResult'
const models: Record<Kind, { ours: Model; prisma: Model }> = {
  Assessment: { ours: store.assessment, prisma: db.assessment },
  AssessmentRecord: { ours: store.assessmentRecord, prisma: db.assessmentRecord },
  AssessmentResult: { ours: store.assessmentResult, prisma: db.assessmentResult },
}
const stamp = { version: { increment: 1 }, changedBy: 'system:test', changedByRequest: null }

let world: World
beforeAll(async () => {
  world = await aWorld()
})

/** One of the world's rows: no test needs one as another left it. */
async function rowOf(kind: Kind, index: number): Promise<Row> {
  const row = await models[kind].prisma.findFirst({ where: { id: world.names.ours[kind][index] } })
  if (!row) throw new Error('There is no such row.')
  return row
}

/** Changes a row as the gate does. */
function change(model: Model, { id, organisationId, version }: Row, data: object): PromiseLike<Row[]> {
  return model.updateManyAndReturn({ where: { id, organisationId, version }, data: { ...data, ...stamp } })
}

const old = new Date('1880-01-01T00:00:00.001Z')
const first = new Date('0001-01-01T00:00:00.000Z')
const last = new Date('9999-12-31T23:59:59.999Z')
const text = 'it\'s "Ñandú" \\ 🦙 $1'
const json = { text, list: [1, -0.5, 1e21, null, true, [], {}], nested: { date: '2026-03-04' } }

const withoutPrototype: unknown = Object.assign(Object.create(null), { a: 1 })

/** What the services set, and every other column that may be set, with every kind of value. */
const changes: [kind: Kind, sets: Record<string, object>][] = [
  ['Assessment', {
    'nothing': {},
    'some': { progress: 33.3, name: text },
    'all': {
      name: text, companyName: text, companyType: '', country: 'Kenya', status: 'COMPLETE', intakeMode: 'UPLOAD', progress: 0.1 + 0.2,
      overallRiskScore: 12.5, overallRiskLevel: 'LOW', outcomeId: null, workflowState: 'ERROR', workflowStep: null, workflowErrorType: 'A',
      workflowErrorMessage: text, workflowErrorStep: 'c', workflowErrorDetails: json, sections: [{ title: text, questions: [] }],
    },
    'nulls': {
      companyName: null, companyType: null, country: null, status: 'DRAFT', overallRiskScore: null, overallRiskLevel: null, outcomeId: null,
      workflowState: 'CANCELLED', workflowStep: null, workflowErrorType: null, workflowErrorMessage: null, workflowErrorStep: null,
      workflowErrorDetails: Prisma.DbNull, createdById: null, sections: [],
    },
    'what is undefined': { name: undefined, companyName: 'set', sections: undefined },
  }],
  ['AssessmentRecord', {
    'all': { status: 'PASSED', assessmentDate: old, expiresAt: last, assessorId: null, folderId: null },
    'the first instant': { status: 'FAILED', assessmentDate: first, expiresAt: null },
    'nulls': { status: 'PENDING', assessmentDate: null, expiresAt: null, assessorId: null, folderId: null },
  }],
  ['AssessmentResult', {
    'all': {
      status: 'TOBEDELETED', metadata: json, score: -1e-7, textScore: text, scoreDate: old, scorePercentile: 99.9, scoreStatus: 'EXEMPT', comment: text,
      learningObjectiveSet: [{ source: text, learningObjectiveResults: [{ learningObjectiveId: 'x', score: null, textScore: null }] }],
      inProgress: true, incomplete: false, late: true, missing: false, scoreScaleId: null,
    },
    'nulls': {
      metadata: Prisma.DbNull, score: null, textScore: null, scoreScaleId: null, scorePercentile: null, comment: null, learningObjectiveSet: [],
      inProgress: null, incomplete: null, late: null, missing: null,
    },
    'great and small': { score: 1e300, scorePercentile: 5e-300, scoreDate: last },
    'an object without a prototype': { metadata: withoutPrototype },
  }],
]
const cases = changes.flatMap(([kind, sets]) => Object.entries(sets).map(([what, data]) => [kind, what, data] as const))

const zone = process.env['TZ']
afterEach(() => {
  if (zone === undefined) delete process.env['TZ']
  else process.env['TZ'] = zone
})

describe.each(['UTC', 'Europe/Berlin', 'America/New_York'])('in the time zone %s', (name) => {
  test.each(cases)('%s: %s is written as Prisma writes it, with a statement of our own', async (kind, _, data) => {
    process.env['TZ'] = name
    const { ours, prisma } = models[kind]
    const [twin] = await change(prisma, await rowOf(kind, 0), data)
    const row = await rowOf(kind, 1)
    let written: Row | undefined
    const sent = await statementsOf(async () => {
      written = (await change(ours, row, data))[0]
    })
    expect(sent).toEqual([expect.stringMatching(new RegExp(`^UPDATE "${kind}" SET `))])
    expect(written).toEqual(await rowOf(kind, 1))
    expect(written?.version).toBe(row.version + 1)
    for (const column of Object.keys(data)) {
      const expected: unknown = Reflect.get(data, column) === undefined ? Reflect.get(row, column) : Reflect.get(twin ?? {}, column)
      expect(written).toHaveProperty(column, expected)
    }
  })

  test('an old instant is found by itself', async () => {
    process.env['TZ'] = name
    const row = await rowOf('AssessmentRecord', 0)
    for (const assessmentDate of [old, first, last]) {
      await change(db.assessmentRecord, await rowOf('AssessmentRecord', 0), { assessmentDate })
      expect(await store.assessmentRecord.count({ where: { id: row.id, assessmentDate } })).toBe(1)
    }
  })
})

describe.each(Object.entries(models))('%s', (_, { ours, prisma }) => {
  test('no row is changed that has another version or belongs to others', async () => {
    const row = await prisma.findFirst({ where: { organisationId: world.ours.id } })
    if (!row) throw new Error('There is no row.')
    for (const wrong of [{ version: row.version + 1 }, { version: row.version - 1 }, { organisationId: world.theirs.id }, { id: randomUUID() }]) {
      expect(await change(ours, { ...row, ...wrong }, {})).toEqual([])
    }
    expect(await prisma.findFirst({ where: { id: row.id } })).toEqual(row)
  })
})

test('the statement varies with the columns alone', async () => {
  const sent = await statementsOf(async () => {
    await change(store.assessment, await rowOf('Assessment', 1), { name: 'one', companyName: null })
    await change(store.assessment, await rowOf('Assessment', 1), { companyName: text, name: 'two' })
  })
  const [one, two, ...rest] = sent.filter((sql) => sql.startsWith('UPDATE'))
  expect(one).toBe(two)
  expect(rest).toEqual([])
})

test.each<[string, Kind, object]>([
  ['an operation', 'Assessment', { name: { set: 'x' } }],
  ['a multiplication', 'Assessment', { progress: { multiply: 1 } }],
  ['a number that is none', 'AssessmentResult', { score: NaN }],
  ['a part of a version', 'Assessment', { oid: 1.5 }],
  ['another null of JSON', 'AssessmentResult', { metadata: Prisma.JsonNull }],
  ['a null for JSON', 'AssessmentResult', { metadata: null }],
  ['a text for an instant', 'AssessmentResult', { scoreDate: '2026-03-04T10:30:00.000Z' }],
  ['a date that is none', 'AssessmentResult', { scoreDate: new Date(NaN) }],
  ['a year of five digits', 'AssessmentResult', { scoreDate: new Date(last.getTime() + 1) }],
  ['a number for a text', 'Assessment', { name: 1 }],
  ['a list', 'Assessment', { name: ['x'] }],
  ['a column that is none', 'Assessment', { 'name" = NULL --': 'x' }],
  ['a relation', 'Assessment', { entity: { connect: { id: randomUUID() } } }],
])('%s is left to Prisma', async (_, kind, data) => {
  const row = await rowOf(kind, 1)
  const sent = await statementsOf(async () => {
    try {
      await change(models[kind].ours, row, data)
    } catch {
      // Prisma refuses some of these itself.
    }
  })
  for (const sql of sent) expect(sql).toMatch(BY_PRISMA)
})

/** What a change fails with. */
async function failureOf(run: () => PromiseLike<unknown>): Promise<unknown> {
  try {
    await run()
  } catch (error) {
    return error
  }
  throw new Error('It did not fail.')
}

const OPEN = ['Assessment_open_key', ['organisationId', 'entityId', 'templateType']] as const

test('what PostgreSQL repeats of a row is no part of its refusal', async () => {
  const secret = `secret ${randomUUID()}`
  const error = await failureOf(() => database.statements.rows('INSERT INTO "Organisation" ("id", "companyId", "name") VALUES ($1, NULL, $2)', [randomUUID(), secret]))
  expect(error).toMatchObject({ code: '23502' })
  expect(inspect(error)).not.toContain(secret)
})

test.each(['ours', 'prisma'] as const)('a place that is taken is told from other failures: %s', async (via) => {
  const org = await anOrganisation()
  const { id, entityId, templateId } = await org.assessment()
  await change(db.assessment, await db.assessment.findUniqueOrThrow({ where: { id } }), { status: 'COMPLETE' })
  await org.assessment({ entityId, templateId })
  const row = await db.assessment.findUniqueOrThrow({ where: { id } })
  const taken = await failureOf(() => change(models.Assessment[via], row, { status: 'DRAFT' }))
  expect(isUniqueViolation(taken, OPEN[0], [...OPEN[1]])).toBe(true)
  expect(isUniqueViolation(taken, 'Assessment_oid_key', ['oid'])).toBe(false)
  expect(isDeadlock(taken)).toBe(false)
  const refused = await failureOf(() => change(models.Assessment[via], row, { progress: 101 }))
  expect(isUniqueViolation(refused, OPEN[0], [...OPEN[1]])).toBe(false)
})

describe.skipIf(database.embedded)('on PostgreSQL', () => {
  const location = inject('database')
  const url = new URL('url' in location ? location.url : 'postgres://localhost')

  test.each(['ours', 'prisma'] as const)('a deadlock is known: %s', async (via) => {
    const row = await rowOf('Assessment', 1)
    const outside = new Client({ connectionString: url.href })
    await outside.connect()
    try {
      await outside.query(`BEGIN; SET LOCAL deadlock_timeout = '1min'`)
      // The revision that the write is going to make: it has locked the row when it has to wait for this.
      await outside.query(
        `INSERT INTO "Revision" ("organisationId", "assessmentId", "version", "changedPaths", "actor", "changedAt") VALUES ($1, $2, $3, '{}', 'system:test', now())`,
        [row.organisationId, row.id, row.version + 1],
      )
      const failed = failureOf(() => change(models.Assessment[via], row, { name: 'x' }))
      // It waits for a lock as long as the transaction above lasts.
      for (let waiting = 0; waiting === 0; ) {
        const { rowCount } = await outside.query(
          `SELECT pg_stat_clear_snapshot() FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))`,
        )
        waiting = rowCount ?? 0
      }
      await outside.query('SELECT 1 FROM "Assessment" WHERE "id" = $1 FOR UPDATE', [row.id])
      await outside.query('ROLLBACK')
      const error = await failed
      expect(isDeadlock(error)).toBe(true)
      expect(isUniqueViolation(error, OPEN[0], [...OPEN[1]])).toBe(false)
    } finally {
      await outside.end()
    }
  })

  test('instants are the same to Prisma and to us where sessions have another time zone', async () => {
    const role = `elsewhere_${randomUUID().replaceAll('-', '')}`
    await database.pool.query(`CREATE ROLE ${role} SUPERUSER LOGIN PASSWORD '${role}'; ALTER ROLE ${role} SET TimeZone = 'Asia/Kolkata'`)
    const elsewhere = await openDatabase({ url: Object.assign(new URL(url), { username: role, password: role }).href, poolSize: 1 })
    try {
      const { client, statements } = elsewhere
      const row = await rowOf('AssessmentRecord', 1)
      const assessmentDate = new Date('2026-03-04T10:30:00.000Z')
      const [written] = await change(createStore(client, statements).assessmentRecord, row, { assessmentDate })
      expect(written).toMatchObject({ assessmentDate })
      expect(await client.assessmentRecord.findUnique({ where: { id: row.id } })).toEqual(written)
      expect(await rowOf('AssessmentRecord', 1)).toEqual(written)
    } finally {
      await elsewhere.close()
      await database.pool.query(`DROP ROLE ${role}`)
    }
  })
})
