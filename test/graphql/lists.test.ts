// What every list of the schema must do, whatever it lists.
import { randomBytes, randomUUID } from 'node:crypto'
import { type GraphQLInputField, getNamedType, isEnumType, isInputObjectType } from 'graphql'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { schema } from '../../src/server/schema.js'
import { type Arguments, leavesOf, operation, rootField, rootFields, withValueAt } from '../documents.js'
import { ask, tellExchangesOfFailedTests } from '../exchanges.js'
import { db, statementsOf } from '../gateway.js'
import { anOrganisation, type Story } from '../story.js'

tellExchangesOfFailedTests()

/* ---- the lists --------------------------------------------------------------------------------- */

type Value = Date | string | number | null
type Row = { id: string } & Record<string, unknown>

/** One condition of a filter: what is sent, and which rows it must let through. */
interface Condition {
  filter: Arguments
  matches(row: Row): boolean
}

interface List {
  /** How many rows `fill` makes. */
  size: number
  /** What each order compares; a list without the argument orderBy has one all the same. */
  orders: Record<string, (row: Row) => Value>
  standard: string
  /** Makes rows with equal values and, where that can be, without any. */
  fill(org: Story): Promise<Row[]>
  /** By the field of the filter, of which each needs one at least. */
  conditions(rows: Row[], org: Story): Record<string, Condition[]>
}

const column = (name: string) => (row: Row) => value.parse(row[name])
const value = z.union([z.date(), z.string(), z.number(), z.null()])
const DAY = 86_400_000
const day = (number: number) => new Date(Date.UTC(2026, 0, 1) + number * DAY)
const later = (date: unknown, milliseconds: number) => new Date(z.date().parse(date).getTime() + milliseconds)
const time = (row: Row, name: string) => z.date().nullable().parse(row[name])?.getTime() ?? NaN
/** Fixtures have ids in no order at all, and of no version of UUID. */
const shuffled = <Data>(data: Data) => ({ id: anyId(), ...data })
const anyId = () => randomBytes(16).toString('hex').replace(/^(.{8})(....)(....)(....)/, '$1-$2-$3-$4-')
const numbers = [0, 1, 2, 3, 4, 5, 6]

const lists: Record<string, List> = {
  assessments: {
    size: numbers.length,
    orders: { CREATED_AT: column('createdAt'), UPDATED_AT: column('updatedAt'), NAME: column('name'), OVERALL_RISK_SCORE: column('overallRiskScore') },
    standard: 'CREATED_AT',
    async fill(org) {
      const [entity, template, user] = [await org.entity(), await org.template(), await org.user()]
      const others = [await org.entity(), await org.template(), await org.user()] as const
      const scores = [null, 10, 60, null, 10, 99.9, null]
      const levels = [null, 'LOW', 'HIGH', null, 'LOW', 'CRITICAL', null] as const
      const rows = []
      for (const i of numbers) {
        const [about, from, by] = i % 3 === 0 ? others : [entity, template, user]
        const created = await db.assessment.create({
          data: shuffled({
            organisationId: org.id,
            name: names[i] ?? '',
            companyName: i === 2 ? 'ALPHA Ltd' : null,
            status: scores[i] == null ? ('DRAFT' as const) : ('COMPLETE' as const),
            overallRiskScore: scores[i] ?? null,
            overallRiskLevel: levels[i] ?? null,
            entityId: about.id,
            templateId: from.id,
            templateType: from.type,
            createdById: i === 0 ? null : by.id,
            workflowState: i % 2 ? ('CANCELLED' as const) : ('ERROR' as const),
            ...(i % 2 === 0 && { workflowErrorType: 'X', workflowErrorMessage: 'x' }),
            sections: [],
            createdAt: day(Math.floor(i / 2)),
            changedBy: 'system:test',
          }),
        })
        rows.push(created)
      }
      // Later changes, so that the last one and the creation are not in one order.
      await db.$executeRaw`UPDATE "Assessment" SET "version" = "version" + 1 WHERE "id" IN (${rows[0]?.id}::uuid, ${rows[3]?.id}::uuid)`
      return db.assessment.findMany({ where: { organisationId: org.id } })
    },
    conditions: (rows) => {
      const since = rows.map((row) => row['updatedAt']).sort(byTime)[3]
      return {
        oid: [{ filter: { oid: rows.slice(0, 3).map((row) => row['oid']) }, matches: (row) => rows.indexOf(row) < 3 }],
        status: [{ filter: { status: ['COMPLETE', 'ANALYZING'] }, matches: (row) => row['status'] === 'COMPLETE' }],
        riskLevel: [{ filter: { riskLevel: ['LOW', 'HIGH'] }, matches: (row) => ['LOW', 'HIGH'].includes(String(row['overallRiskLevel'])) }],
        workflowState: [{ filter: { workflowState: ['ERROR'] }, matches: (row) => row['workflowState'] === 'ERROR' }],
        entityId: sameAsFirst(rows, 'entityId'),
        templateId: sameAsFirst(rows, 'templateId'),
        createdById: sameAsFirst(rows, 'createdById'),
        search: [...searches('name', 'companyName'), { filter: { search: 'pha l' }, matches: (row) => row['companyName'] === 'ALPHA Ltd' }],
        updatedSince: sinces('updatedSince', 'updatedAt', since),
      }
    },
  },

  assessmentTemplates: {
    size: numbers.length,
    orders: { CREATED_AT: column('createdAt'), NAME: column('name') },
    standard: 'CREATED_AT',
    async fill(org) {
      const kinds = [randomUUID(), randomUUID()]
      for (const i of numbers) {
        await org.template(shuffled({ name: names[i] ?? '', type: kinds[i % 2] ?? '', createdAt: day(Math.floor(i / 3)) }))
      }
      return db.assessmentTemplate.findMany({ where: { organisationId: org.id } })
    },
    conditions: (rows) => ({
      type: sameAsFirst(rows, 'type'),
      search: searches('name'),
    }),
  },

  assessmentRecords: {
    size: numbers.length,
    orders: { ASSESSMENT_DATE: column('assessmentDate'), EXPIRES_AT: column('expiresAt'), UPDATED_AT: column('updatedAt') },
    standard: 'UPDATED_AT',
    async fill(org) {
      const [users, definitions] = [[await org.user(), await org.user()], [await org.template(), await org.template()]]
      const assessed = [null, 1, 1, 2, null, 3, 2]
      const expires = [null, 9, 8, null, null, 8, null]
      for (const i of numbers) {
        const [on, until] = [assessed[i], expires[i]]
        await org.record(
          shuffled({
            status: until != null ? ('PASSED' as const) : on != null ? ('FAILED' as const) : ('PENDING' as const),
            assessmentDate: on == null ? null : day(on),
            expiresAt: until == null ? null : day(until),
            userId: users[i % 2]?.id ?? '',
            assessorId: i % 3 ? (users[0]?.id ?? null) : i ? (users[1]?.id ?? null) : null,
            assessmentDefinitionId: definitions[i % 2 ? 0 : 1]?.id ?? '',
            createdAt: day(Math.floor(i / 2)),
          }),
        )
      }
      return db.assessmentRecord.findMany({ where: { organisationId: org.id } })
    },
    conditions: (rows) => {
      const same = (name: string) => sameAsFirst(rows, name)
      return {
        status: [{ filter: { status: ['PASSED', 'PENDING'] }, matches: (row) => row['status'] !== 'FAILED' }],
        userId: same('userId'),
        assessorId: same('assessorId'),
        assessmentDefinitionId: same('assessmentDefinitionId'),
        expiresBefore: [
          { filter: { expiresBefore: day(9) }, matches: (row) => time(row, 'expiresAt') < day(9).getTime() },
          { filter: { expiresBefore: later(day(9), 1) }, matches: (row) => row['expiresAt'] !== null },
        ],
        expiresAfter: [
          { filter: { expiresAfter: day(8) }, matches: (row) => time(row, 'expiresAt') > day(8).getTime() },
          { filter: { expiresAfter: later(day(8), -1) }, matches: (row) => row['expiresAt'] !== null },
        ],
        updatedSince: sinces('updatedSince', 'updatedAt', day(2)),
      }
    },
  },

  assessmentResults: {
    size: numbers.length,
    orders: { SCORE_DATE: column('scoreDate'), DATE_LAST_MODIFIED: column('updatedAt'), SCORE: column('score') },
    standard: 'DATE_LAST_MODIFIED',
    async fill(org) {
      const [students, lineItems] = [[await org.user(), await org.user()], [await org.lineItem(), await org.lineItem()]]
      const scores = [null, 5, 5, 80.5, null, 0, -1]
      for (const i of numbers) {
        await db.assessmentResult.create({
          data: shuffled({
            organisationId: org.id,
            sourcedId: randomUUID(),
            status: i % 3 ? ('ACTIVE' as const) : ('TOBEDELETED' as const),
            scoreStatus: i % 2 ? ('FULLY_GRADED' as const) : i ? ('SUBMITTED' as const) : ('EXEMPT' as const),
            assessmentLineItemId: lineItems[i % 2]?.id ?? '',
            studentId: students[i % 3 ? 0 : 1]?.id ?? '',
            score: scores[i] ?? null,
            scoreDate: day(i % 4),
            createdAt: day(Math.floor(i / 2)),
            changedBy: 'system:test',
          }),
        })
      }
      return db.assessmentResult.findMany({ where: { organisationId: org.id }, include: { student: true, assessmentLineItem: true } })
    },
    conditions: (rows) => {
      const sourced = z.object({ sourcedId: z.string() })
      const first = z.object({ student: sourced, assessmentLineItem: sourced, studentId: z.string(), assessmentLineItemId: z.string() }).parse(rows[0])
      return {
        status: [
          { filter: { status: ['ACTIVE'] }, matches: (row) => row['status'] === 'ACTIVE' },
          { filter: { status: ['TOBEDELETED'] }, matches: (row) => row['status'] === 'TOBEDELETED' },
        ],
        scoreStatus: [{ filter: { scoreStatus: ['SUBMITTED', 'EXEMPT'] }, matches: (row) => row['scoreStatus'] !== 'FULLY_GRADED' }],
        studentSourcedId: [{ filter: { studentSourcedId: first.student.sourcedId }, matches: (row) => row['studentId'] === first.studentId }],
        assessmentLineItemSourcedId: [
          {
            filter: { assessmentLineItemSourcedId: first.assessmentLineItem.sourcedId },
            matches: (row) => row['assessmentLineItemId'] === first.assessmentLineItemId,
          },
        ],
        modifiedSince: sinces('modifiedSince', 'updatedAt', day(2)),
      }
    },
  },

  assessmentLineItems: {
    size: numbers.length,
    orders: { CREATED_AT: column('createdAt') },
    standard: 'CREATED_AT',
    async fill(org) {
      for (const i of numbers) await org.lineItem(shuffled({ title: names[i] ?? '', createdAt: day(Math.floor(i / 3)) }))
      return db.assessmentLineItem.findMany({ where: { organisationId: org.id } })
    },
    conditions: () => ({ search: searches('title') }),
  },

  entities: {
    size: numbers.length,
    orders: { CREATED_AT: column('createdAt'), NAME: column('name') },
    standard: 'CREATED_AT',
    async fill(org) {
      for (const i of numbers) {
        const country = [null, 'Kenya', 'Norway'][i % 3] ?? null
        await org.entity(shuffled({ name: names[i] ?? '', country, createdAt: day(Math.floor(i / 3)) }))
      }
      return db.entity.findMany({ where: { organisationId: org.id } })
    },
    conditions: () => ({
      country: [
        { filter: { country: 'Kenya' }, matches: (row) => row['country'] === 'Kenya' },
        { filter: { country: 'kenya' }, matches: () => false },
      ],
      search: searches('name'),
    }),
  },

  users: {
    size: numbers.length,
    orders: { CREATED_AT: column('createdAt') },
    standard: 'CREATED_AT',
    async fill(org) {
      for (const i of numbers) {
        await org.user(shuffled({ name: names[i] ?? '', subject: i % 2 ? null : `subject ${i} ${randomUUID()}`, createdAt: day(Math.floor(i / 3)) }))
      }
      return db.user.findMany({ where: { organisationId: org.id } })
    },
    conditions: (rows) => ({
      search: searches('name'),
      sourcedId: sameAsFirst(rows, 'sourcedId'),
      subject: [...sameAsFirst(rows, 'subject'), { filter: { subject: 'SUBJECT' }, matches: () => false }],
    }),
  },
}

const names = ['Beta', 'alpha', 'Beta', '100% sure', 'under_score', 'back\\slash', 'alpha 100 percent, underXscore']

/** Searches: any case, a part, and the characters that mean something to LIKE. */
function searches(...columns: string[]): Condition[] {
  return ['LPH', 'beta', '%', '_', '\\', '0% s', 'r_s', 'k\\s', '', 'no such name', '%%', 'be_a'].map((search) => ({
    filter: { search },
    matches: (row) => columns.some((name) => z.string().nullable().parse(row[name])?.toLowerCase().includes(search.toLowerCase())),
  }))
}

/** What the first row has that has anything. */
function sameAsFirst(rows: Row[], name: string): Condition[] {
  const same = rows.map((row) => row[name]).find((it) => it !== null)
  return [{ filter: { [name]: same }, matches: (row) => row[name] === same }]
}

/** At `since` exactly, and a millisecond later. */
function sinces(field: string, name: string, since: unknown): Condition[] {
  return [since, later(since, 1)].map((at) => ({
    filter: { [field]: at },
    matches: (row) => time(row, name) >= z.date().parse(at).getTime(),
  }))
}

function byTime(a: unknown, b: unknown): number {
  return z.date().parse(a).getTime() - z.date().parse(b).getTime()
}

/* ---- every list -------------------------------------------------------------------------------- */

test('every list of Query is tried, in each of its orders and with each of its filters', () => {
  const connections = Object.values(rootFields('Query')).filter(({ type }) => getNamedType(type).name.endsWith('Connection'))
  expect(new Set(connections.map(({ name }) => name))).toEqual(new Set(Object.keys(lists)))
})

describe.each(Object.entries(lists))('%s', (field, list) => {
  const orders = ordersOf(field)

  test('has no order that is not tried', () => {
    expect(orders.length ? orders : [list.standard]).toEqual(expect.arrayContaining(Object.keys(list.orders)))
    expect(Object.keys(list.orders)).toEqual(expect.arrayContaining(orders))
  })

  test('comes in its standard order, the last first', async () => {
    const org = await anOrganisation()
    const rows = await list.fill(org)
    const standard = inOrder(rows, [[orderOf(list, list.standard), 'DESC']])
    for (const orderBy of orders.length ? [undefined, null, []] : [undefined]) {
      expect(await idsOf(org, field, { orderBy })).toEqual(standard)
    }
  })

  for (const order of orders.length ? orders : [null]) {
    for (const direction of order ? (['ASC', 'DESC'] as const) : (['DESC'] as const)) {
      test(`by ${order ?? 'its standard order'} ${direction}, pages of 2 visit each row once, forwards and backwards`, async () => {
        const org = await anOrganisation()
        const rows = await list.fill(org)
        expect(rows).toHaveLength(list.size)
        const valueOf = orderOf(list, order ?? list.standard)
        const expected = inOrder(rows, [[valueOf, direction]])
        expect(new Set(rows.map((row) => String(valueOf(row)))).size, 'the rows must have equal values').toBeLessThan(rows.length)
        const orderBy = order ? [{ field: order, direction }] : undefined
        expect(await walk(org, field, { orderBy }, 'forwards')).toEqual(expected)
        expect(await walk(org, field, { orderBy }, 'backwards')).toEqual(expected)
      })
    }
  }

  if (orders.length > 1) {
    test('by two terms, pages of 2 visit each row once, forwards and backwards', async () => {
      const org = await anOrganisation()
      const rows = await list.fill(org)
      for (const first of orders) {
        for (const second of orders) {
          for (const [one, two] of [['ASC', 'DESC'], ['DESC', 'ASC'], ['DESC', 'DESC']] as const) {
            const orderBy = [{ field: first, direction: one }, { field: second, direction: two }]
            const terms = [[orderOf(list, first), one], [orderOf(list, second), first === second ? one : two]] as const
            const expected = inOrder(rows, terms)
            expect(await walk(org, field, { orderBy }, 'forwards'), JSON.stringify(orderBy)).toEqual(expected)
            expect(await walk(org, field, { orderBy }, 'backwards'), JSON.stringify(orderBy)).toEqual(expected)
          }
        }
      }
    })
  }

  test('goes on behind the last row though others were added meanwhile', async () => {
    const org = await anOrganisation()
    const expected = inOrder(await list.fill(org), [[orderOf(list, list.standard), 'DESC']])
    const visited: string[] = []
    let after: string | null = null
    for (let more = true; more; ) {
      const page: Page = await pageOf(org, field, { first: 2, after })
      visited.push(...page.nodes.map(({ id }) => id))
      after = page.pageInfo.endCursor
      more = page.pageInfo.hasNextPage
      if (visited.length <= 4) await list.fill(org)
    }
    expect(new Set(visited).size).toBe(visited.length)
    const old = new Set(expected)
    expect(visited.filter((id) => old.has(id))).toEqual(expected)
    expect(visited.length).toBeGreaterThan(expected.length)
  })

  test('tells of each row its own cursor, and of the page whether there is more', async () => {
    const org = await anOrganisation()
    const expected = inOrder(await list.fill(org), [[orderOf(list, list.standard), 'DESC']])
    const all = await pageOf(org, field, {})
    expect(all.pageInfo).toEqual({ hasNextPage: false, hasPreviousPage: false, startCursor: all.edges[0]?.cursor, endCursor: all.edges.at(-1)?.cursor })
    for (const [index, { cursor, node }] of all.edges.entries()) {
      expect(node.id).toBe(expected[index])
      const behind = await pageOf(org, field, { first: 3, after: cursor })
      expect(behind.nodes.map(({ id }) => id)).toEqual(expected.slice(index + 1, index + 4))
      expect(behind.pageInfo).toMatchObject({ hasNextPage: index + 4 < expected.length, hasPreviousPage: true })
      const before = await pageOf(org, field, { last: 3, before: cursor })
      expect(before.nodes.map(({ id }) => id)).toEqual(expected.slice(Math.max(0, index - 3), index))
      expect(before.pageInfo).toMatchObject({ hasPreviousPage: index - 3 > 0, hasNextPage: true })
    }
    const [first, last] = [all.edges[1]?.cursor, all.edges[5]?.cursor]
    expect(await idsOf(org, field, { after: first, before: last })).toEqual(expected.slice(2, 5))
    expect(await idsOf(org, field, { last: 2, after: first, before: last })).toEqual(expected.slice(3, 5))
  })

  test('has 20 items unless asked otherwise, none for 0, and up to 100', async () => {
    const org = await anOrganisation()
    while ((await pageOf(org, field, { first: 0 })).totalCount <= 20) await list.fill(org)
    const total = (await pageOf(org, field, { first: 0 })).totalCount
    expect(await idsOf(org, field, {})).toHaveLength(20)
    expect(await idsOf(org, field, { first: null, last: null })).toHaveLength(20)
    expect(await idsOf(org, field, { first: 100 })).toHaveLength(total)
    expect(await idsOf(org, field, { last: 100 })).toHaveLength(total)
    for (const none of [{ first: 0 }, { last: 0 }]) {
      const page = await pageOf(org, field, none)
      expect(page).toMatchObject({ nodes: [], edges: [], pageInfo: { startCursor: null, endCursor: null }, totalCount: total })
    }
    expect((await pageOf(org, field, { first: 0 })).pageInfo.hasNextPage).toBe(true)
    expect((await pageOf(org, field, { last: 0 })).pageInfo.hasPreviousPage).toBe(true)
  })

  test('counts its rows only when asked, with the filter and without the page', async () => {
    const org = await anOrganisation()
    const rows = await list.fill(org)
    const send = (selection: string, args: Arguments) => ask(org.key, operation('Query', field, selection), args)
    const without = await statementsOf(() => send('nodes { id }', {}))
    const counted = await statementsOf(() => send('nodes { id } totalCount', {}))
    expect(without.filter(isCount)).toEqual([])
    expect(counted.filter(isCount)).toHaveLength(1)
    expect((await pageOf(org, field, { first: 2 })).totalCount).toBe(list.size)
    for (const { filter, matches } of Object.values(list.conditions(rows, org)).flatMap((it) => it.slice(0, 1))) {
      expect((await pageOf(org, field, { first: 1, ...asArguments(field, filter) })).totalCount).toBe(rows.filter(matches).length)
    }
  })

  test('lets through what each filter says, and what two say together', async () => {
    const org = await anOrganisation()
    const rows = await list.fill(org)
    const conditions = list.conditions(rows, org)
    expect(Object.keys(conditions).sort(), 'each field of the filter').toEqual(filtersOf(field).map(({ name }) => name).sort())
    for (const [name, each] of Object.entries(conditions)) {
      for (const { filter, matches } of each) {
        const expected = inOrder(rows.filter(matches), [[orderOf(list, list.standard), 'DESC']])
        expect(await idsOf(org, field, asArguments(field, filter)), JSON.stringify(filter)).toEqual(expected)
      }
      const sizes = each.map(({ matches }) => rows.filter(matches).length)
      expect(sizes.some((size) => size > 0 && size < rows.length), `${name} must tell rows apart`).toBe(true)
    }
    const firsts = Object.values(conditions).flatMap((each) => each.slice(0, 1))
    for (const one of firsts) {
      for (const two of firsts) {
        const expected = inOrder(rows.filter((row) => one.matches(row) && two.matches(row)), [[orderOf(list, list.standard), 'DESC']])
        const filter = { ...one.filter, ...two.filter }
        expect(await idsOf(org, field, asArguments(field, filter)), JSON.stringify(filter)).toEqual(expected)
      }
    }
  })

  test('is empty, and no error, for what no row can have', async () => {
    const org = await anOrganisation()
    await list.fill(org)
    const texts = [...leavesOf(rootField('Query', field), 'String'), ...leavesOf(rootField('Query', field), 'ID')]
    const filters = texts.filter(({ path }) => !['after', 'before'].includes(path.join('.')))
    expect(filters.length).toBeGreaterThan(0)
    for (const { path, type } of filters) {
      const impossible = ['\u0000', 'a\u0000', '\ud800', ...(type.name === 'ID' ? ['', 'not-a-uuid', randomUUID(), '%'] : [])]
      for (const wrong of impossible) {
        const page = await pageOf(org, field, withValueAt({}, path, wrong))
        expect(page, JSON.stringify([path, wrong])).toMatchObject({ nodes: [], totalCount: 0 })
      }
    }
    for (const { path } of filters.filter(({ path }) => path[0] === 'filter')) {
      expect((await pageOf(org, field, withValueAt({}, path, null))).totalCount, 'null is no condition').toBe(list.size)
    }
  })

  for (const { name } of filtersOf(field).filter(({ type }) => String(type).startsWith('['))) {
    test(`lets nothing through for a ${name} of no values`, async () => {
      const org = await anOrganisation()
      await list.fill(org)
      expect(await idsOf(org, field, { filter: { [name]: [] } })).toEqual([])
    })
  }

  test('refuses a page that is too large, below 0 or asked for from both ends', async () => {
    const org = await anOrganisation()
    for (const wrong of [{ first: 101 }, { last: 101 }, { first: -1 }, { last: -1 }, { first: 1, last: 1 }, { first: 0, last: 0 }, { first: 2_147_483_647 }]) {
      await refused(org, field, wrong)
    }
  })

  test('refuses a cursor of another order, filter or list', async () => {
    const org = await anOrganisation()
    const rows = await list.fill(org)
    const { endCursor } = (await pageOf(org, field, { first: 2 })).pageInfo
    for (const order of orders) {
      for (const direction of ['ASC', 'DESC']) {
        if (order === list.standard && direction === 'DESC') continue
        await refused(org, field, { orderBy: [{ field: order, direction }], first: 2, after: endCursor })
        await refused(org, field, { orderBy: [{ field: order, direction }], last: 2, before: endCursor })
      }
    }
    const seen = new Set<string>()
    for (const { filter } of Object.values(list.conditions(rows, org)).flat()) {
      await refused(org, field, { ...asArguments(field, filter), after: endCursor })
      const filtered = (await pageOf(org, field, { ...asArguments(field, filter), first: 1 })).pageInfo.endCursor
      if (filtered === null) continue
      await refused(org, field, { after: filtered })
      seen.add(filtered)
    }
    expect(seen.size).toBeGreaterThan(0)
    for (const other of Object.keys(lists).filter((name) => name !== field)) {
      await lists[other]?.fill(org)
      const foreign = (await pageOf(org, other, { first: 1 })).pageInfo.endCursor
      expect(foreign).not.toBeNull()
      await refused(org, field, { after: foreign })
    }
  })

  test('refuses what is no cursor', async () => {
    const org = await anOrganisation()
    await list.fill(org)
    const { endCursor } = (await pageOf(org, field, { first: 2 })).pageInfo
    const values = z.array(z.unknown()).parse(JSON.parse(Buffer.from(endCursor ?? '', 'base64url').toString()))
    const forge = (...forged: unknown[]) => Buffer.from(JSON.stringify(forged)).toString('base64url')
    const garbage = ['', 'garbage', 'bnVsbA', '[]', '\u0000', '💥', (endCursor ?? '').slice(2), forge(), forge(null), forge(values[0]), forge(...values, 1)]
    const forged = [null, '', 'x', 1, true, {}, [], '\u0000', '2026-02-30T00:00:00.000Z', '0000-01-01T00:00:00.000Z', '+275760-09-13T00:00:00.000Z']
    for (const after of [...garbage, ...forged.map((wrong) => forge(values[0], wrong, values[2]))]) {
      await refused(org, field, { after })
      await refused(org, field, { before: after })
    }
  })

  test('refuses a cursor whose value no row can have', async () => {
    const org = await anOrganisation()
    const [row] = await list.fill(org)
    for (const order of orders.length ? orders : [null]) {
      const orderBy = order ? [{ field: order, direction: 'ASC' }] : undefined
      const { startCursor } = (await pageOf(org, field, { first: 1, orderBy })).pageInfo
      const [binding, , id] = z.array(z.unknown()).parse(JSON.parse(Buffer.from(startCursor ?? '', 'base64url').toString()))
      const isText = typeof (row && orderOf(list, order ?? list.standard)(row)) === 'string'
      const impossible = ['a\u0000', '\ud800', true, {}, ...(isText ? [1] : ['', '0000-01-01T00:00:00.000Z', '2026-02-30T00:00:00.000Z'])]
      for (const forged of impossible) {
        await refused(org, field, { orderBy, after: Buffer.from(JSON.stringify([binding, forged, id])).toString('base64url') })
      }
    }
  })
})

/* ---- lists below a row ------------------------------------------------------------------------- */

/** How a list below a row is reached, by the field that it is. */
const below: Record<string, (org: Story) => Promise<{ query: (args: string) => string; answer: string[] }>> = {
  'Entity.assessments': async (org) => {
    const { id } = await org.entity()
    for (const _ of [1, 2, 3]) await org.assessment({ entityId: id })
    return { query: (args) => `{ entity(id: "${id}") { assessments${args} { ${PAGE} } } }`, answer: ['entity', 'assessments'] }
  },
  'AssessmentTemplate.assessments': async (org) => {
    await org.question()
    await org.question()
    const { id } = await org.template()
    for (const _ of [1, 2, 3]) await org.assessment({ templateId: id })
    return { query: (args) => `{ assessmentTemplate(id: "${id}") { assessments${args} { ${PAGE} } } }`, answer: ['assessmentTemplate', 'assessments'] }
  },
  'AssessmentTemplate.records': async (org) => {
    const { id } = await org.template()
    for (const _ of [1, 2, 3]) await org.record({ assessmentDefinitionId: id })
    return { query: (args) => `{ assessmentTemplate(id: "${id}") { records${args} { ${PAGE} } } }`, answer: ['assessmentTemplate', 'records'] }
  },
  'AssessmentLineItem.results': async (org) => {
    const { sourcedId } = await org.lineItem()
    for (const _ of [1, 2, 3]) await org.result({ assessmentLineItemSourcedId: sourcedId })
    return { query: (args) => `{ assessmentLineItem(sourcedId: "${sourcedId}") { results${args} { ${PAGE} } } }`, answer: ['assessmentLineItem', 'results'] }
  },
  'Assessment.history': async (org) => {
    const { id } = await org.assessment()
    await versions('Assessment', id)
    return { query: (args) => `{ assessment(id: "${id}") { history${args} { ${HISTORY} } } }`, answer: ['assessment', 'history'] }
  },
  'AssessmentRecord.history': async (org) => {
    const { id } = await org.record()
    await versions('AssessmentRecord', id)
    return { query: (args) => `{ assessmentRecord(id: "${id}") { history${args} { ${HISTORY} } } }`, answer: ['assessmentRecord', 'history'] }
  },
  'AssessmentResult.history': async (org) => {
    const { id, sourcedId } = await org.result()
    await versions('AssessmentResult', id)
    return { query: (args) => `{ assessmentResult(sourcedId: "${sourcedId}") { history${args} { ${HISTORY} } } }`, answer: ['assessmentResult', 'history'] }
  },
}
const PAGE_INFO = 'pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount'
const PAGE = `nodes { id } edges { cursor node { id } } ${PAGE_INFO}`
const HISTORY = `nodes { id: version } edges { cursor node { id: version } } ${PAGE_INFO}`

/** Brings a row to version 3. */
async function versions(table: 'Assessment' | 'AssessmentRecord' | 'AssessmentResult', id: string): Promise<void> {
  for (const _ of [2, 3]) await db.$executeRawUnsafe(`UPDATE "${table}" SET "version" = "version" + 1 WHERE "id" = $1::uuid`, id)
}

test('every list below a row is tried', () => {
  const fields = Object.values(schema.getTypeMap()).flatMap((type) =>
    'getFields' in type && !isInputObjectType(type) && type.name !== 'Query' && type.name !== 'Versioned'
      ? Object.values(type.getFields())
          .filter((field) => getNamedType(field.type).name.endsWith('Connection'))
          .map((field) => `${type.name}.${field.name}`)
      : [],
  )
  expect(new Set(fields)).toEqual(new Set(Object.keys(below)))
})

describe.each(Object.entries(below))('%s', (_name, arrange) => {
  test('pages of 1 visit each of three items once, the last first, forwards and backwards', async () => {
    const org = await anOrganisation()
    const list = await arrange(org)
    const all = await nested(org, list, '')
    expect(all.nodes).toHaveLength(3)
    expect(all).toMatchObject({ totalCount: 3, pageInfo: { hasNextPage: false, hasPreviousPage: false } })
    if (list.answer[1] === 'history') expect(all.nodes).toEqual([{ id: 3 }, { id: 2 }, { id: 1 }])
    for (const [size, from, next] of [['first: 1', 'after', 'endCursor'], ['last: 1', 'before', 'startCursor']] as const) {
      const visited = []
      let cursor: string | null = null
      for (let page = 1; page <= 3; page += 1) {
        const at = await nested(org, list, `(${size}, ${from}: ${JSON.stringify(cursor)})`)
        visited.push(...at.nodes)
        const [more, behind] = size === 'first: 1' ? [at.pageInfo.hasNextPage, at.pageInfo.hasPreviousPage] : [at.pageInfo.hasPreviousPage, at.pageInfo.hasNextPage]
        expect([more, behind]).toEqual([page < 3, page > 1])
        cursor = at.pageInfo[next]
      }
      expect(size === 'first: 1' ? visited : visited.reverse()).toEqual(all.nodes)
    }
    expect(await nested(org, list, '(first: 0)')).toMatchObject({ nodes: [], totalCount: 3, pageInfo: { hasNextPage: true } })
  })

  test('refuses sizes and cursors that are none of its own', async () => {
    const org = await anOrganisation()
    const list = await arrange(org)
    await org.user()
    const foreign = (await pageOf(org, 'users', { first: 1 })).pageInfo.endCursor
    for (const args of ['first: 101', 'last: 101', 'first: -1', 'last: -1', 'first: 1, last: 1', 'after: "garbage"', 'before: ""', `after: "${foreign ?? ''}"`]) {
      const { errors } = await ask(org.key, list.query(`(${args})`))
      expect(errors, args).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
    }
  })
})

describe('a list in a filter', () => {
  test('may name the same values any number of times', async () => {
    const org = await anOrganisation()
    const [{ id, oid }, record, result] = [await org.assessment(), await org.record(), await org.result()]
    const often = <Value>(value: Value) => Array.from({ length: 40_000 }, () => value)
    expect((await pageOf(org, 'assessments', { filter: { oid: often(oid), status: often('DRAFT'), workflowState: often('ACTIVE') } })).nodes).toMatchObject([{ id }])
    expect((await pageOf(org, 'assessments', { filter: { riskLevel: often('LOW') } })).nodes).toEqual([])
    expect((await pageOf(org, 'assessmentRecords', { filter: { status: often('PENDING') } })).nodes).toMatchObject([{ id: record.id }])
    const results = { filter: { status: often('ACTIVE'), scoreStatus: often('FULLY_GRADED') } }
    expect((await pageOf(org, 'assessmentResults', results)).nodes).toMatchObject([{ id: result.id }])
  })

  test('of more than 1,000 different values is refused', async () => {
    const org = await anOrganisation()
    const oids = Array.from({ length: 1_001 }, (_, index) => index)
    expect((await pageOf(org, 'assessments', { filter: { oid: oids.slice(1) } })).nodes.length).toBeLessThanOrEqual(1)
    await refused(org, 'assessments', { filter: { oid: oids } })
  })
})

/* ---- asking ------------------------------------------------------------------------------------ */

const pageSchema = <Id extends z.ZodType>(id: Id) =>
  z.object({
    nodes: z.array(z.object({ id })),
    edges: z.array(z.object({ cursor: z.string(), node: z.object({ id }) })),
    pageInfo: z.object({ hasNextPage: z.boolean(), hasPreviousPage: z.boolean(), startCursor: z.string().nullable(), endCursor: z.string().nullable() }),
    totalCount: z.number(),
  })
const page = pageSchema(z.string())
type Page = z.output<typeof page>

async function pageOf(org: Story, field: string, args: Arguments): Promise<Page> {
  const { data, errors } = await ask(org.key, operation('Query', field, PAGE), args)
  expect(errors, JSON.stringify(args)).toBeUndefined()
  const parsed = page.parse(data?.[field])
  expect(parsed.edges.map(({ node }) => node)).toEqual(parsed.nodes)
  return parsed
}

async function idsOf(org: Story, field: string, args: Arguments): Promise<string[]> {
  return (await pageOf(org, field, args)).nodes.map(({ id }) => id)
}

async function nested(org: Story, { query, answer }: { query: (args: string) => string; answer: string[] }, args: string) {
  const { data, errors } = await ask(org.key, query(args))
  expect(errors, args).toBeUndefined()
  const [parent = '', list = ''] = answer
  return pageSchema(z.union([z.string(), z.number()])).parse(z.record(z.string(), z.unknown()).parse(data?.[parent])[list])
}

/** All ids in the list's order, read by pages of 2 from one end. */
async function walk(org: Story, field: string, args: Arguments, direction: 'forwards' | 'backwards'): Promise<string[]> {
  const visited: string[][] = []
  for (let cursor: string | null = null, more = true; more; ) {
    const range: Arguments = direction === 'forwards' ? { first: 2, after: cursor } : { last: 2, before: cursor }
    const { nodes, pageInfo }: Page = await pageOf(org, field, { ...args, ...range })
    const ids = nodes.map(({ id }) => id)
    if (direction === 'forwards') visited.push(ids)
    else visited.unshift(ids)
    cursor = direction === 'forwards' ? pageInfo.endCursor : pageInfo.startCursor
    more = direction === 'forwards' ? pageInfo.hasNextPage : pageInfo.hasPreviousPage
    expect(visited.length, 'it must come to an end').toBeLessThan(20)
  }
  return visited.flat()
}

async function refused(org: Story, field: string, args: Arguments): Promise<void> {
  const { errors } = await ask(org.key, operation('Query', field, 'nodes { id }'), args)
  expect(errors, JSON.stringify(args)).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
}

function isCount(sql: string): boolean {
  return /\bcount\s*\(/i.test(sql)
}

/* ---- what the schema says ---------------------------------------------------------------------- */

/** The fields that a list can be ordered by; none: it has one order. */
function ordersOf(field: string): string[] {
  const orderBy = rootField('Query', field).args.find(({ name }) => name === 'orderBy')
  const by = orderBy && schema.getType(`${getNamedType(orderBy.type).name}Field`)
  return isEnumType(by) ? by.getValues().map(({ name }) => name) : []
}

/** The fields of a list's filter; `search` may stand beside it. */
function filtersOf(field: string): Pick<GraphQLInputField, 'name' | 'type'>[] {
  const { args } = rootField('Query', field)
  const filter = args.find(({ name }) => name === 'filter')
  const type = filter && getNamedType(filter.type)
  return [...(isInputObjectType(type) ? Object.values(type.getFields()) : []), ...args.filter(({ name }) => name === 'search')]
}

/** The arguments that carry a filter. */
function asArguments(field: string, filter: Arguments): Arguments {
  return rootField('Query', field).args.some(({ name }) => name === 'filter') ? { filter } : filter
}

/* ---- what is right ----------------------------------------------------------------------------- */

function orderOf({ orders }: List, name: string): (row: Row) => Value {
  const valueOf = orders[name]
  if (!valueOf) throw new Error(`No order ${name}.`)
  return valueOf
}

type Term = readonly [valueOf: (row: Row) => Value, direction: 'ASC' | 'DESC']

/** The ids in an order: nulls last in both directions; between equals the id, in the direction of the last term. */
function inOrder(rows: Row[], terms: readonly Term[]): string[] {
  const id: Term = [(row) => row.id, terms.at(-1)?.[1] ?? 'DESC']
  const compare = (a: Row, b: Row) =>
    [...terms, id].map(([valueOf, direction]) => compareValues(valueOf(a), valueOf(b), direction)).find((sign) => sign !== 0) ?? 0
  return [...rows].sort(compare).map((row) => row.id)
}

function compareValues(a: Value, b: Value, direction: 'ASC' | 'DESC'): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null)
  const [x, y] = [a instanceof Date ? a.getTime() : a, b instanceof Date ? b.getTime() : b]
  if (x === y) return 0
  return x < y === (direction === 'ASC') ? -1 : 1
}
