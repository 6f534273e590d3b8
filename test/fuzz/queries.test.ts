// Whatever is asked, over the whole schema: every answer is one that a client can act on, and what it
// costs follows from the document, not from the rows.
import fc from 'fast-check'
import { parse, validate } from 'graphql'
import { expect, test } from 'vitest'
import { schema } from '../../src/server/schema.js'
import { statementsOf } from '../gateway.js'
import { answerTo } from './answers.js'
import { jsonOf } from './inputs.js'
import { randomQuery } from './queries.js'
import { FUZZ_TIMEOUT_MS, holds } from './runs.js'
import { aWorld, type World } from './world.js'

test('queries', { timeout: FUZZ_TIMEOUT_MS }, async () => {
  // More rows than any place costs statements, so that one that costs them for each row is over the bound.
  const world = await aWorld(8)
  await holds(
    60,
    fc.asyncProperty(fc.gen(), async (gen) => {
      const { query, variables, places } = randomQuery(world, gen)
      const body = `{"query":${JSON.stringify(query)},"variables":${jsonOf(world, variables)}}`
      const refused: string[] = []
      const statements = await statementsOf(async () => {
        const { errors } = await answerTo(world.ours, body)
        refused.push(...(errors ?? []).map(({ message }) => message))
        if (errors?.every(({ extensions }) => extensions.code !== 'GRAPHQL_PARSE_FAILED')) {
          // A document that is refused is so for its values, never for its form.
          expect(formErrors(query), query).toEqual([])
        }
      })
      // One look-up of the key, and one statement for each place.
      expect(statements.length, `${body}\n${statements.join('\n\n')}`).toBeLessThanOrEqual(1 + places)
      if (refused.length > 0) await quiet(world)
    }),
  )
})

/** Where an error has nulled the data, the answer is there before the fields beside it are. */
async function quiet({ ours }: World): Promise<void> {
  for (let alone = 0; alone < 2; ) {
    const statements = await statementsOf(() => answerTo(ours, '{"query":"{ viewer { organisation { name } } }"}'))
    alone = statements.length === 1 ? alone + 1 : 0
  }
}

function formErrors(query: string): string[] {
  const values = ['ValuesOfCorrectType', 'cannot represent', 'DateTime', 'Expected value of type', 'must be', 'is not defined by type', 'does not exist in', 'was not provided', 'There can be only one input field']
  return validate(schema, parse(query), undefined, { maxErrors: 1_000 })
    .map(({ message }) => message)
    .filter((message) => !values.some((part) => message.includes(part)))
}
