// Rows by id that are asked for at the same time come by one statement, each to whoever asked for it.
import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { RequestScope, runInScope } from '../../src/request-scope/request-scope.js'
import { createStore } from '../../src/sql-store/index.js'
import { SharedReads } from '../../src/sql-store/shared-reads.js'
import { aWorld } from '../fuzz/world.js'
import { database, db, statementsOf } from '../gateway.js'
import { anOrganisation } from '../story.js'

const { assessment } = createStore(db, database.statements)
const world = await aWorld(4)
const { id: organisationId } = world.ours
const ids = world.names.ours.Assessment
const columns = { select: { name: true } }

/** What was answered at the same time, and by how many statements. */
async function together<Answer>(ask: (() => Promise<Answer>)[]): Promise<{ answers: Answer[]; statements: number }> {
  let answers: Answer[] = []
  const statements = await statementsOf(async () => {
    answers = await Promise.all(ask.map((it) => it()))
  })
  return { answers, statements: statements.length }
}

const find = (id: string, where: object = { organisationId }, query: { select?: object } = columns) => async () => assessment.findUnique({ ...query, where: { ...where, id } })

describe('rows by id that are asked for at the same time', () => {
  test('take one statement, each in its place, and null where there is none', async () => {
    const wanted = [...ids, randomUUID(), ...ids.toReversed()]
    const { answers, statements } = await together(wanted.map((id) => find(id)))
    expect(statements).toBe(1)
    expect(answers.map((row) => row?.id)).toEqual(wanted.map((id) => (ids.includes(id) ? id : undefined)))
  })

  test('are those of their own conditions', async () => {
    const theirs = { organisationId: world.theirs.id }
    const [own] = ids
    const [foreign] = world.names.theirs.Assessment
    if (own === undefined || foreign === undefined) throw new Error('There are no assessments.')
    const { answers, statements } = await together([find(own), find(foreign), find(own, theirs), find(foreign, theirs)])
    expect(statements).toBe(2)
    expect(answers.map((row) => row?.id)).toEqual([own, undefined, undefined, foreign])
  })

  test('have their own columns', async () => {
    const [id = ''] = ids
    const { answers, statements } = await together([find(id), find(id, { organisationId }, { select: { status: true } }), find(id, { organisationId }, {})])
    expect(statements).toBe(3)
    expect(answers[0]).toEqual({ id, name: answers[2]?.name })
    expect(answers[1]).toEqual({ id, status: answers[2]?.status })
    expect(answers[2]).toEqual(await db.assessment.findUnique({ where: { id } }))
  })

  test('do not wait for others that are asked for at the same time', async () => {
    const reads = new SharedReads<{ id: string }>()
    let end: (rows: { id: string }[]) => void = () => {}
    const slow = reads.load({ id: 'slow', groupKey: 'one', read: () => new Promise((resolve) => (end = resolve)) })
    const fast = reads.load({ id: 'fast', groupKey: 'another', read: () => Promise.resolve([{ id: 'fast' }]) })
    expect(await fast).toEqual({ id: 'fast' })
    end([{ id: 'slow' }])
    expect(await slow).toEqual({ id: 'slow' })
  })

  test('take one statement for each hundred', async () => {
    const { answers, statements } = await together(Array.from({ length: 250 }, (_, index) => find(ids[index % ids.length] ?? '')))
    expect(statements).toBe(3)
    expect(answers.map((row) => row?.id)).toEqual(answers.map((_, index) => ids[index % ids.length]))
  })

  test('that Prisma has to read are read by it', async () => {
    const [id = ''] = ids
    const { answers } = await together([find(id, { organisationId }, { select: { entity: { select: { name: true, assessments: { select: { id: true } } } } } })])
    expect(answers).toEqual([await db.assessment.findUnique({ where: { id }, select: { entity: { select: { name: true, assessments: { select: { id: true } } } } } })])
  })

  test('fail for those alone that share what failed', async () => {
    const [id = ''] = ids
    const answers = await Promise.allSettled([find(id), find('no UUID', { organisationId }, { select: { status: true } })].map((ask) => ask()))
    expect(answers).toMatchObject([{ status: 'fulfilled', value: { id } }, { status: 'rejected' }])
  })

  test('count as a statement of each request', async () => {
    const scopes = ids.map((id) => new RequestScope(id))
    await Promise.all(scopes.map((scope) => runInScope(scope, find(scope.requestId))))
    expect(scopes.map(({ statements }) => statements)).toEqual(ids.map(() => 1))
    const alone = new RequestScope('alone')
    await runInScope(alone, () => Promise.all(ids.map((id) => find(id)())))
    expect(alone.statements).toBe(1)
  })
})

test('requests of two organisations at the same time get what is theirs', async () => {
  const [one, other] = [await anOrganisation(), await anOrganisation()]
  const [mine, foreign] = [await one.assessment(), await other.assessment()]
  const named = z.object({ assessment: z.object({ id: z.string() }).nullable() })
  const ask = async (org: typeof one, id: string) => (await org.dataOf(named, 'query ($id: ID!) { assessment(id: $id) { id } }', { id })).assessment?.id
  for (let time = 0; time < 3; time += 1) {
    const asked = Array.from({ length: 5 }, () => [ask(one, mine.id), ask(one, foreign.id), ask(other, mine.id), ask(other, foreign.id.toUpperCase())]).flat()
    expect(await Promise.all(asked)).toEqual(Array.from({ length: 5 }, () => [mine.id, undefined, undefined, foreign.id]).flat())
  }
})
