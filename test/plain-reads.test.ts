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
