// Whatever is sent to the mutations, a few of them in a row: every answer is one that the schema names,
// and what is stored keeps its invariants.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { type Arguments, everythingOf, operation, rootField, rootFields } from '../documents.js'
import { db } from '../gateway.js'
import { answerTo } from './answers.js'
import { argumentsOf, jsonOf, literalOf, type Mood } from './inputs.js'
import { FUZZ_TIMEOUT_MS, holds } from './runs.js'
import { aWorld, type World } from './world.js'
import { enrolled } from '../mutations.js'
import { schema } from '../../src/server/schema.js'
import { getNamedType, isCompositeType, isObjectType } from 'graphql'

const moods: Mood[] = ['tame', 'tame', 'odd', 'odd', 'wild']

const call = fc
  .tuple(fc.constantFrom(...Object.keys(rootFields('Mutation'))), fc.constantFrom(...moods), fc.boolean())
  .chain(([mutation, mood, inline]) => fc.record({ mutation: fc.constant(mutation), inline: fc.constant(inline), args: argumentsOf(rootField('Mutation', mutation).args, mutation, mood) }))
type Call = typeof call extends fc.Arbitrary<infer Value> ? Value : never

test('mutations', { timeout: FUZZ_TIMEOUT_MS }, async () => {
  await holds(
    30,
    fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 6 }), async (calls) => {
      const world = await aWorld()
      const theirs = await stateOf(world.theirs)
      for (const one of calls) {
        const before = await db.revision.count({ where: { organisationId: world.ours.id } })
        const written = await outcomeOf(world, one)
        expect(await db.revision.count({ where: { organisationId: world.ours.id } })).toBe(before + written)
      }
      await expectEveryVersion(world)
      expect(await stateOf(world.theirs)).toEqual(theirs)
    }),
  )
})

/* ---- sending ------------------------------------------------------------------------------------- */

/** The operation with its arguments as variables, or as literals in the document. */
function bodyOf(world: World, { mutation, inline, args }: Call): string {
  const selection = everythingOf(payloadOf(mutation), mutation === 'refreshAssessments' ? 3 : 2, kindOf(mutation))
  if (!inline) return `{"query":${JSON.stringify(operation('Mutation', mutation, selection))},"variables":${jsonOf(world, args)}}`
  const types = new Map(rootField('Mutation', mutation).args.map(({ name, type }) => [name, type]))
  const given = Object.entries(args).map(([name, value]) => `${name}: ${literalOf(world, value, types.get(name) ?? null)}`)
  return JSON.stringify({ query: `mutation { ${mutation}${given.length ? `(${given.join(', ')})` : ''} { ${selection} } }` })
}

function payloadOf(mutation: string) {
  const type = getNamedType(rootField('Mutation', mutation).type)
  if (!isCompositeType(type)) throw new Error(`${mutation} answers nothing.`)
  return type
}

function kindOf(mutation: string) {
  const it = enrolled.find((one) => one.mutation === mutation)
  if (!it) throw new Error(`${mutation} is not enrolled.`)
  return it.kind
}

const row = z.looseObject({ id: z.string(), version: z.number() })
const refreshed = z.object({ details: z.array(z.object({ status: z.string(), assessment: row })) })

/** Sends it, and reads again what it says to have written; how many rows that is. */
async function outcomeOf(world: World, sent: Call): Promise<number> {
  const body = bodyOf(world, sent)
  const { data, errors } = await answerTo(world.ours, body)
  const payload = data?.[sent.mutation]
  if (errors) {
    expect(payload ?? null).toBeNull()
    return 0
  }
  const { __typename } = z.looseObject({ __typename: z.string() }).parse(payload)
  if (!__typename.endsWith('Success')) return 0
  const rows = sent.mutation === 'refreshAssessments' ? refreshed.parse(payload).details.map(({ assessment }) => assessment) : rowsIn(payload)
  for (const one of rows.slice(0, 3)) {
    expect(await readBack(world, kindOf(sent.mutation), one), body.slice(0, 3_000)).toMatchObject(one)
    if (sent.mutation !== 'refreshAssessments') expectInput(sent, one, body)
  }
  return sent.mutation === 'refreshAssessments' ? refreshed.parse(payload).details.filter(({ status }) => status === 'UPDATED').length : rows.length
}

function rowsIn(payload: unknown): z.output<typeof row>[] {
  return Object.values(z.record(z.string(), z.unknown()).parse(payload)).flatMap((value) => row.safeParse(value).data ?? [])
}

/** The row as its query shows it. */
async function readBack(world: World, kind: string, { id, sourcedId }: z.output<typeof row>): Promise<unknown> {
  const type = schema.getType(kind)
  if (!isObjectType(type)) throw new Error(`${kind} is no type.`)
  const field = `${kind.charAt(0).toLowerCase()}${kind.slice(1)}`
  const query = operation('Query', field, everythingOf(type, 1))
  const { data } = await answerTo(world.ours, JSON.stringify({ query, variables: { id, sourcedId } }))
  return data?.[field]
}

/** What was sent for a field is what the field shows. */
function expectInput({ args }: Call, shown: Arguments, body: string): void {
  const input = z.record(z.string(), z.unknown()).safeParse(args['input']).data ?? {}
  for (const [name, value] of Object.entries(input)) {
    if (!(name in shown) || value === null) continue
    if (typeof value === 'string' && name.endsWith('Date')) expect(Date.parse(String(shown[name])), body).toBe(Date.parse(value))
    else if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') expect(shown[name], body).toBe(value === 0 ? 0 : value)
  }
}

/* ---- what is stored ------------------------------------------------------------------------------ */

/** Each row has a revision for each of its versions, 1 to the last. */
async function expectEveryVersion({ ours: { id: organisationId } }: World): Promise<void> {
  const by = { where: { organisationId }, select: { id: true, version: true, revisions: { select: { version: true }, orderBy: { version: 'asc' as const } } } }
  const rows = [...(await db.assessment.findMany(by)), ...(await db.assessmentRecord.findMany(by)), ...(await db.assessmentResult.findMany(by))]
  for (const { version, revisions } of rows) {
    expect(revisions.map((revision) => revision.version)).toEqual(Array.from({ length: version }, (_, index) => index + 1))
  }
}

/** All rows of an organisation that a write could reach. */
async function stateOf({ id: organisationId }: { id: string }) {
  const by = { where: { organisationId }, orderBy: { id: 'asc' as const } }
  return [
    await db.assessment.findMany(by), await db.assessmentRecord.findMany(by), await db.assessmentResult.findMany(by), await db.revision.findMany(by),
    await db.question.findMany(by), await db.user.findMany(by), await db.entity.findMany(by), await db.assessmentLineItem.findMany(by),
  ]
}
