// The reads that are written as SQL here, against Prisma's own answers to the same queries.
import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { rowComparison, totalCountHint, totalCountOf } from '../../src/domain/query-hints.js'
import { createStore } from '../../src/sql-store/index.js'
import { aWorld } from '../fuzz/world.js'
import { database, db, statementsOf } from '../gateway.js'

/** Prisma names tables with their schema, and our own statements do not. */
const BY_PRISMA = /"(public|tested)"\./

const store = createStore(db, database.statements)

/** A Prisma model as far as these tests need it. */
interface ReadModel {
  findMany(query: object): PromiseLike<{ id: string }[]>
  findFirst(query: object): PromiseLike<object | null>
  count(query: object): PromiseLike<number>
}
let organisationId = ''
beforeAll(async () => {
  organisationId = (await aWorld()).ours.id
})

const mine = (extra: object = {}) => ({ organisationId, ...extra })

const models: Record<string, [ours: ReadModel, prisma: ReadModel, where: () => object]> = {
  organisation: [store.organisation, db.organisation, () => ({ id: organisationId })],
  user: [store.user, db.user, mine],
  entity: [store.entity, db.entity, mine],
  assessmentTemplate: [store.assessmentTemplate, db.assessmentTemplate, mine],
  outcome: [store.outcome, db.outcome, mine],
  assessment: [store.assessment, db.assessment, mine],
  folder: [store.folder, db.folder, mine],
  assessmentRecord: [store.assessmentRecord, db.assessmentRecord, mine],
  scoreScale: [store.scoreScale, db.scoreScale, mine],
  assessmentLineItem: [store.assessmentLineItem, db.assessmentLineItem, mine],
  assessmentResult: [store.assessmentResult, db.assessmentResult, mine],
}

/** Queries as the modules send them, of the rows that meet `own`. */
function queries(own: () => object, ids: string[]): Record<string, object> {
  const orderBy = [{ id: 'desc' }]
  const all = (...conditions: object[]) => ({ AND: [own(), ...conditions] })
  return {
    'all columns': { where: own(), orderBy },
    'some columns': { where: own(), select: { id: true }, orderBy },
    'a page of a known size': { where: own(), orderBy, take: 2 },
    'none': { where: all({ id: { in: [] } }) },
    'ids in a list': { where: all({ id: { in: [...ids, randomUUID()] } }), orderBy },
    'ids in a short list': { where: all({ id: { in: [...ids.slice(0, 2), randomUUID()] } }), orderBy },
    'the only id of a list': { where: all({ id: { in: ids.slice(0, 1) } }) },
    'what is behind a cursor': { where: all({ OR: [{ id: { lt: ids[0] } }, { AND: [{ id: ids[0] }, { id: { gt: ids[0] } }] }] }), orderBy },
    'any of nothing': { where: all({ OR: [] }), orderBy },
    'all of nothing': { where: all({ AND: [] }), orderBy },
  }
}

describe.each(Object.entries(models))('%s', (_, [read, prisma, own]) => {
  test('is read as Prisma reads it, with a statement of our own', async () => {
    const all = await prisma.findMany({ where: own() })
    expect(all.length).toBeGreaterThan(0)
    const ids = all.map(({ id }) => id).sort().reverse()
    for (const [what, query] of Object.entries(queries(own, ids))) {
      const ours = { rows: await read.findMany(query), first: await read.findFirst(query) }
      const theirs = { rows: await prisma.findMany(query), first: (await prisma.findMany({ ...query, take: 1 }))[0] ?? null }
      expect(ours, what).toEqual(theirs)
    }
    const [sql] = await statementsOf(async () => read.findMany({ where: own() }))
    expect(sql).not.toMatch(BY_PRISMA)
    expect(await read.count({ where: own() })).toBe(all.length)
  })
})

test('rows that a row points at come with it, and null where it points at none', async () => {
  const select = { id: true, assessor: true, folder: true, user: true, assessmentDefinition: true }
  const query = { where: mine(), select, orderBy: [{ id: 'asc' as const }] }
  const rows = await store.assessmentRecord.findMany(query)
  // The columns that theirs were made of stay with them.
  expect(rows).toMatchObject(await db.assessmentRecord.findMany(query))
  expect(rows).toEqual(expect.arrayContaining([expect.objectContaining({ assessor: null })]))
})

test('of a row that a row points at, the columns that are asked for come with it', async () => {
  const assessor = { select: { name: true, id: true } }
  const query = { where: mine(), select: { id: true, assessor }, orderBy: [{ id: 'asc' as const }] }
  let rows: { id: string; assessor?: unknown }[] = []
  const [sql] = await statementsOf(async () => (rows = await store.assessmentRecord.findMany(query)))
  expect(sql).not.toMatch(BY_PRISMA)
  expect(rows.map(({ id, assessor: found }) => ({ id, assessor: found }))).toEqual(await db.assessmentRecord.findMany(query))
  const people = rows.flatMap((row) => row.assessor ?? [])
  const text: unknown = expect.any(String)
  expect(people).toEqual(people.map(() => ({ id: text, name: text })))
  expect(people.length).toBeGreaterThan(0)
})

test('columns and related rows in any order are one text', async () => {
  const texts = await statementsOf(async () => {
    await store.assessment.findMany({ select: { id: true, name: true, entity: { select: { id: true, name: true } }, template: true } })
    await store.assessment.findMany({ select: { template: true, entity: { select: { name: true, id: true } }, name: true, id: true } })
  })
  expect(texts).toHaveLength(2)
  expect(new Set(texts).size).toBe(1)
})

test.each([
  ['2026-01-31 23:59:59.999+00', '2026-01-31T23:59:59.999Z'],
  ['2026-01-31 23:59:59.5+00', '2026-01-31T23:59:59.500Z'],
  ['0001-01-01 00:00:00+00', '0001-01-01T00:00:00.000Z'],
  ['12026-01-31 00:00:00+00', '+012026-01-31T00:00:00.000Z'],
  ['0044-03-15 00:00:00+00 BC', '-000043-03-15T00:00:00.000Z'],
])('the instant %s is read as it is', async (stored, expected) => {
  const [row] = await database.statements.rows<{ at: Date }>('SELECT $1::timestamptz AS "at"', [stored])
  expect(row?.at.toISOString()).toBe(expected)
})

describe('a comparison of several columns', () => {
  test.each([
    ['by two', ['updatedAt', 'id']],
    ['by a number that can be missing', ['score', 'id']],
    ['by a text', ['sourcedId', 'id']],
    ['by an integer', ['version', 'id']],
    ['by a key', ['studentId', 'id']],
    ['by three', ['version', 'score', 'id']],
    ['by one alone', ['id']],
  ] as const)('%s has the rows that Prisma has beyond each row', async (_, columns) => {
    const rows: Record<string, unknown>[] = await db.assessmentResult.findMany({ where: mine() })
    expect(rows.length).toBeGreaterThan(1)
    for (const row of rows) {
      for (const operator of ['gt', 'lt']) {
        const beyond = columns.map((name, index) => ({
          AND: [...columns.slice(0, index).map((earlier) => ({ [earlier]: { equals: row[earlier] } })), { [name]: { [operator]: row[name] } }],
        }))
        // Nothing is beyond a null, and Prisma refuses the comparison.
        if (columns.some((name) => row[name] === null)) continue
        const comparison = { columns, operator, values: columns.map((name) => row[name]) }
        const query = { where: { AND: [mine(), { OR: beyond, [rowComparison]: comparison }] }, orderBy: [{ id: 'asc' as const }] }
        let ours: unknown
        const [sql] = await statementsOf(async () => (ours = await store.assessmentResult.findMany(query)))
        expect(sql).toMatch(/\) [<>] \(SELECT /)
        expect(ours).toEqual(await db.assessmentResult.findMany(query))
      }
    }
  })

  test('is left to Prisma where a column cannot be compared so', async () => {
    const condition = { OR: [{ version: { gt: 0 } }], [rowComparison]: { columns: ['late'], operator: 'gt', values: [true] } }
    const [sql] = await statementsOf(async () => store.assessmentResult.findMany({ where: mine(condition) }))
    expect(sql).toMatch(BY_PRISMA)
  })
})

test('columns of a kind that the driver reads otherwise are left to Prisma', async () => {
  const [sql] = await statementsOf(async () => store.apiKey.findMany({ where: mine() }))
  expect(sql).toMatch(BY_PRISMA)
  const [narrow] = await statementsOf(async () => store.apiKey.findMany({ where: mine(), select: { id: true, createdAt: true } }))
  expect(narrow).not.toMatch(BY_PRISMA)
  const [scopes] = await statementsOf(async () => store.apiKey.findMany({ where: mine(), select: { id: true, scopes: true } }))
  expect(scopes).toMatch(BY_PRISMA)
})

test('a page is counted by the statement that reads it, and an empty one is left to be counted', async () => {
  const assessments: ReadModel = store.assessment
  const page = (condition: object) => assessments.findMany({ where: mine(condition), take: 1, [totalCountHint]: mine() })
  let lengths: (number | undefined)[] = []
  const sent = await statementsOf(async () => (lengths = [totalCountOf(await page({})), totalCountOf(await page({ version: -1 }))]))
  expect(sent).toEqual([expect.stringMatching(/count\(/i), expect.stringMatching(/count\(/i)])
  expect(lengths).toEqual([await db.assessment.count({ where: mine() }), undefined])
})

test('inside of a transaction everything is Prisma’s own', async () => {
  const sent = await statementsOf(() => store.$transaction(async (transaction) => transaction.user.findMany({ where: mine() })))
  expect(sent.filter((sql) => sql.startsWith('SELECT'))).toEqual([expect.stringMatching(BY_PRISMA)])
})

test('nulls are compared and ordered as asked', async () => {
  for (const where of [mine({ assessorId: null }), mine({ assessorId: { not: null } })]) {
    for (const nulls of ['first', 'last'] as const) {
      const query = { where, orderBy: [{ expiresAt: { sort: 'asc' as const, nulls } }, { id: 'asc' as const }] }
      expect(await store.assessmentRecord.findMany(query)).toEqual(await db.assessmentRecord.findMany(query))
    }
  }
})

test.each<[string, { where?: object; [part: string]: unknown }]>([
  ['a part of a text', { where: { name: { contains: 'a' } } }],
  ['a negation', { where: { NOT: [{ name: 'x' }] } }],
  ['a condition on a relation', { where: { entity: { name: 'x' } } }],
  ['a list below the row', { select: { id: true, revisions: true } }],
  ['a related row without its id', { select: { id: true, entity: { select: { name: true } } } }],
  ['a row that a related row points at', { select: { id: true, createdBy: { select: { id: true, organisation: true } } } }],
  ['an offset', { skip: 1 }],
  ['a negative page', { take: -1 }],
  ['an order that is none', { orderBy: [{ id: 'ASC; DROP TABLE "User"' }] }],
])('%s is left to Prisma', async (_, { where = {}, ...query }) => {
  const sent = await statementsOf(async () => {
    try {
      // Other tests leave large rows behind.
      await store.assessment.findMany({ ...query, where: mine(where) })
    } catch {
      // Prisma refuses some of these itself.
    }
  })
  for (const sql of sent) expect(sql).toMatch(BY_PRISMA)
})

test('what is undefined is no condition, as in Prisma, and never one of ours', async () => {
  const sent = await statementsOf(async () => store.user.findMany({ where: { organisationId, sourcedId: undefined } }))
  expect(sent).toEqual([expect.stringMatching(BY_PRISMA)])
})
