// The reads that are written as SQL here, against Prisma's own answers to the same queries.
import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { plainReads, type ReadModel } from '../src/shared/plain-reads.js'
import { aWorld } from './fuzz/world.js'
import { database, db, statementsOf } from './gateway.js'

const reads = plainReads(db, database.statements)
let organisationId = ''
beforeAll(async () => {
  organisationId = (await aWorld()).ours.id
})

const mine = (extra: object = {}) => ({ organisationId, ...extra })

const models: Record<string, [ours: ReadModel<{ id: string }>, prisma: ReadModel<{ id: string }>]> = {
  user: [reads.user, db.user],
  entity: [reads.entity, db.entity],
  assessmentTemplate: [reads.assessmentTemplate, db.assessmentTemplate],
  outcome: [reads.outcome, db.outcome],
  assessment: [reads.assessment, db.assessment],
  folder: [reads.folder, db.folder],
  assessmentRecord: [reads.assessmentRecord, db.assessmentRecord],
  scoreScale: [reads.scoreScale, db.scoreScale],
  assessmentLineItem: [reads.assessmentLineItem, db.assessmentLineItem],
  assessmentResult: [reads.assessmentResult, db.assessmentResult],
}

/** Queries as the rooms write them. */
function queries(ids: string[]): Record<string, object> {
  const orderBy = [{ id: 'desc' }]
  return {
    'all columns': { where: mine(), orderBy },
    'some columns': { where: mine(), select: { id: true }, orderBy },
    'a page of a known size': { where: mine(), orderBy, take: 2 },
    'none': { where: mine({ id: { in: [] } }) },
    'ids in a list': { where: mine({ id: { in: [...ids, randomUUID()] } }), orderBy },
    'ids in a short list': { where: mine({ id: { in: [...ids.slice(0, 2), randomUUID()] } }), orderBy },
    'the only id of a list': { where: mine({ id: { in: ids.slice(0, 1) } }) },
    'what is behind a cursor': { where: { AND: [mine(), { OR: [{ id: { lt: ids[0] } }, { AND: [{ id: ids[0] }, { id: { gt: ids[0] } }] }] }] }, orderBy },
    'any of nothing': { where: mine({ OR: [] }), orderBy },
    'all of nothing': { where: mine({ AND: [] }), orderBy },
  }
}

describe.each(Object.entries(models))('%s', (_, [read, prisma]) => {
  test('is read as Prisma reads it, with a statement of our own', async () => {
    const all = await prisma.findMany({ where: mine() })
    expect(all.length).toBeGreaterThan(1)
    const ids = all.map(({ id }) => id).sort().reverse()
    for (const [what, query] of Object.entries(queries(ids))) {
      const ours = { rows: await read.findMany(query), first: await read.findFirst(query) }
      const theirs = { rows: await prisma.findMany(query), first: (await prisma.findMany({ ...query, take: 1 }))[0] ?? null }
      expect(ours, what).toEqual(theirs)
    }
    const [sql] = await statementsOf(async () => read.findMany({ where: mine() }))
    expect(sql).not.toContain('"public".')
    expect(await read.count({ where: mine() })).toBe(all.length)
  })
})

test('rows that a row points at come with it, and null where it points at none', async () => {
  const select = { id: true, assessor: true, folder: true, user: true, assessmentDefinition: true }
  const query = { where: mine(), select, orderBy: [{ id: 'asc' as const }] }
  const rows = await reads.assessmentRecord.findMany(query)
  // The columns that theirs were made of stay with them.
  expect(rows).toMatchObject(await db.assessmentRecord.findMany(query))
  expect(rows).toEqual(expect.arrayContaining([expect.objectContaining({ assessor: null })]))
})

test('of a row that a row points at, the columns that are asked for come with it', async () => {
  const assessor = { select: { name: true, id: true } }
  const query = { where: mine(), select: { id: true, assessor }, orderBy: [{ id: 'asc' as const }] }
  let rows: { id: string; assessor?: unknown }[] = []
  const [sql] = await statementsOf(async () => (rows = await reads.assessmentRecord.findMany(query)))
  expect(sql).not.toContain('"public".')
  expect(rows.map(({ id, assessor: found }) => ({ id, assessor: found }))).toEqual(await db.assessmentRecord.findMany(query))
  const people = rows.flatMap((row) => row.assessor ?? [])
  const text: unknown = expect.any(String)
  expect(people).toEqual(people.map(() => ({ id: text, name: text })))
  expect(people.length).toBeGreaterThan(0)
})

test('columns and related rows in any order are one text', async () => {
  const texts = await statementsOf(async () => {
    await reads.assessment.findMany({ select: { id: true, name: true, entity: { select: { id: true, name: true } }, template: true } })
    await reads.assessment.findMany({ select: { template: true, entity: { select: { name: true, id: true } }, name: true, id: true } })
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
  ] as const)('%s has the rows that Prisma has beyond each row', async (_, order) => {
    const rows: Record<string, unknown>[] = await db.assessmentResult.findMany({ where: mine() })
    expect(rows.length).toBeGreaterThan(1)
    for (const row of rows) {
      for (const operator of ['gt', 'lt']) {
        const beyond = order.map((name, index) => ({
          AND: [...order.slice(0, index).map((earlier) => ({ [earlier]: { equals: row[earlier] } })), { [name]: { [operator]: row[name] } }],
        }))
        // Nothing is beyond a null, and Prisma refuses the comparison.
        if (order.some((name) => row[name] === null)) continue
        const query = { where: { AND: [mine(), { OR: beyond }] }, orderBy: [{ id: 'asc' as const }] }
        let ours: unknown
        const [sql] = await statementsOf(async () => (ours = await reads.assessmentResult.findMany(query)))
        expect(sql).toMatch(/\) [<>] \(SELECT /)
        expect(ours).toEqual(await db.assessmentResult.findMany(query))
      }
    }
  })

  test.each<[string, object[]]>([
    ['of directions that differ', [{ AND: [{ version: { gt: 1 } }] }, { AND: [{ version: { equals: 1 } }, { id: { lt: randomUUID() } }] }]],
    ['of values that differ', [{ AND: [{ version: { gt: 1 } }] }, { AND: [{ version: { equals: 2 } }, { score: { gt: 0 } }] }]],
    ['of columns that differ', [{ AND: [{ version: { gt: 1 } }] }, { AND: [{ score: { equals: 1 } }, { score: { gt: 0 } }] }]],
    ['with nulls beyond', [{ AND: [{ OR: [{ score: { gt: 1 } }, { score: { equals: null } }] }] }, { AND: [{ score: { equals: 1 } }, { version: { gt: 0 } }] }]],
    ['of one column alone', [{ AND: [{ version: { gt: 0 } }] }]],
    ['with a condition beside', [{ AND: [{ version: { gt: 1 } }], score: { gt: 1000 } }, { AND: [{ version: { equals: 1 } }, { score: { gt: 0 } }] }]],
    ['with a condition on another column', [{ AND: [{ version: { gt: 0 } }] }, { AND: [{ version: { equals: 0 } }, { score: { gt: 0 }, late: true }] }]],
    ['within bounds', [{ AND: [{ version: { gt: 0, lt: 1 } }] }, { AND: [{ version: { equals: 0 } }, { score: { gt: 0 } }] }]],
  ])('is none %s', async (_, alternatives) => {
    const where = mine({ OR: alternatives })
    let ours: unknown
    const [sql] = await statementsOf(async () => (ours = await reads.assessmentResult.findMany({ where, orderBy: [{ id: 'asc' }] })))
    expect(sql).not.toContain('(SELECT ')
    expect(ours).toEqual(await db.assessmentResult.findMany({ where, orderBy: [{ id: 'asc' }] }))
  })
})

test('nulls are compared and ordered as asked', async () => {
  for (const where of [mine({ assessorId: null }), mine({ assessorId: { not: null } })]) {
    for (const nulls of ['first', 'last'] as const) {
      const query = { where, orderBy: [{ expiresAt: { sort: 'asc' as const, nulls } }, { id: 'asc' as const }] }
      expect(await reads.assessmentRecord.findMany(query)).toEqual(await db.assessmentRecord.findMany(query))
    }
  }
})

test.each<[string, object]>([
  ['a part of a text', { where: { name: { contains: 'a' } } }],
  ['a negation', { where: { NOT: [{ name: 'x' }] } }],
  ['a condition on a relation', { where: { entity: { name: 'x' } } }],
  ['a list below the row', { select: { id: true, revisions: true } }],
  ['a related row without its id', { select: { id: true, entity: { select: { name: true } } } }],
  ['a row that a related row points at', { select: { id: true, createdBy: { select: { id: true, organisation: true } } } }],
  ['an offset', { skip: 1 }],
  ['a negative page', { take: -1 }],
  ['an order that is none', { orderBy: [{ id: 'ASC; DROP TABLE "User"' }] }],
])('%s is left to Prisma', async (_, query) => {
  const sent = await statementsOf(async () => {
    try {
      await reads.assessment.findMany(query)
    } catch {
      // Prisma refuses some of these itself.
    }
  })
  for (const sql of sent) expect(sql).toContain('"public".')
})

test('what is undefined is no condition, as in Prisma, and never one of ours', async () => {
  const sent = await statementsOf(async () => reads.user.findMany({ where: { organisationId, sourcedId: undefined } }))
  expect(sent).toEqual([expect.stringContaining('"public".')])
})
