// What `npm run attack` sends is written from the schema: no field can be forgotten, and nothing is refused for its form.
import { isObjectType, MaxIntrospectionDepthRule, parse, specifiedRules, validate } from 'graphql'
import { describe, expect, test } from 'vitest'
import { placesOf } from '../../scripts/attack/arguments.js'
import { isError, kinds, leavesOf, type Plan, waysFrom, written } from '../../scripts/attack/documents.js'
import { schema } from '../../src/server/schema.js'

const all = kinds()
/** How deep introspection may go is for the gateway to say. */
const rules = specifiedRules.filter((rule) => rule !== MaxIntrospectionDepthRule)

/** Plans of one kind: one for each way down from it, with the plainest value of each argument. */
function plansOf(kind: (typeof all)[number]): Plan[] {
  const chosen = placesOf(kind.field, {}).flatMap(({ path, choices: [plainest] }) => (plainest ? [{ path, choice: plainest }] : []))
  return waysFrom(kind).map((way) => ({ kind, chosen, way, leaves: leavesOf(way) }))
}

test('every root field is a kind, and every object of the schema that can be read is reached', () => {
  const roots: unknown[] = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]
  const fields = roots.flatMap((type) => (isObjectType(type) ? Object.keys(type.getFields()) : []))
  expect(all.map(({ field }) => field.name).toSorted()).toEqual([...fields, '__schema', '__type'].toSorted())
  const reached = new Set(all.flatMap(waysFrom).map(({ type }) => type.name))
  const objects = Object.values(schema.getTypeMap()).filter((type) => isObjectType(type) && !roots.includes(type) && !isError(type))
  // Only errors have that.
  expect(objects.map(({ name }) => name).filter((name) => !reached.has(name))).toEqual(['ValidationIssue'])
})

describe.each(all.map((kind) => [`${kind.operation} ${kind.field.name}`, kind] as const))('%s', (_, kind) => {
  test('its documents are valid, large and small', () => {
    for (const plan of plansOf(kind)) {
      const roots = kind.operation === 'subscription' ? 1 : 2
      for (const size of [{ page: 1, leaves: 1, lists: 1, roots: 1 }, { page: 3, leaves: 2, lists: 2, roots }]) {
        for (const run of [true, false]) {
          const { query } = written(plan, size, run)
          expect(validate(schema, parse(query), rules), query).toEqual([])
        }
      }
    }
  })
})
