import { normalizedExecutor } from '@graphql-tools/executor'
import { execute, GraphQLInt, GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLSchema, parse } from 'graphql'
import { expect, test } from 'vitest'
import { Budget } from '../../src/graphql/budget.js'
import { boundLongAnswers } from '../../src/graphql/long-answers.js'
import { RequestScope, runInScope } from '../../src/request-scope/request-scope.js'
import { isTurnOver } from '../../src/request-scope/turns.js'

/** Works until this turn of the event loop is over. */
function workThroughTurn(): object[] {
  while (!isTurnOver()) Math.sqrt(2)
  return [{}]
}

const Part = new GraphQLObjectType({ name: 'Part', fields: { number: { type: GraphQLInt } } })
const Item = new GraphQLObjectType({ name: 'Item', fields: { parts: { type: new GraphQLList(Part), resolve: workThroughTurn } } })
const Query = new GraphQLObjectType({ name: 'Query', fields: { items: { type: new GraphQLList(Item), resolve: () => [{}, {}, {}] } } })
const schema = new GraphQLSchema({ query: Query })
boundLongAnswers(schema)

/** What is done in which order: an answer with so many values, and something else that has to be done. */
async function orderWith(values: number): Promise<string[]> {
  const budget = new Budget()
  budget.open({ maximum: Infinity, values, extra: 0, rootFields: 1, valuesPerItem: () => 0 })
  const order: string[] = []
  setImmediate(() => order.push('another'))
  await execute({ schema, document: parse('{ items { parts { number } } }'), contextValue: { budget } })
  order.push('answer')
  await new Promise(setImmediate)
  return order
}

test('a long answer is made in turns, between which others are served', async () => {
  expect(await orderWith(1_000_000)).toEqual(['another', 'answer'])
})

test('a short one is made at once', async () => {
  expect(await orderWith(10)).toEqual(['answer', 'another'])
})

test('what is refused for its cost leaves no promise unheard, which would end the process', async () => {
  const unheard: unknown[] = []
  const ofRun = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', (error) => unheard.push(error))
  const parts = { type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(Part))), resolve: workThroughTurn }
  const Strict = new GraphQLObjectType({ name: 'Strict', fields: { parts, more: { ...parts, resolve: () => [{}, {}] } } })
  const items = { type: new GraphQLList(new GraphQLNonNull(Strict)), resolve: () => [{}, {}, {}] }
  const strict = new GraphQLSchema({ query: new GraphQLObjectType({ name: 'Query', fields: { items } }) })
  boundLongAnswers(strict)
  for (const maximum of [1_000_002, 1_000_003, 1_000_004]) {
    const budget = new Budget()
    budget.open({ maximum, values: 1_000_000, extra: 0, rootFields: 1, valuesPerItem: () => 1 })
    const document = parse('{ items { parts { number } more { number } } }')
    const scope = new RequestScope('request')
    const result = await runInScope(scope, () => normalizedExecutor({ schema: strict, document, contextValue: { budget } }))
    expect(result).toMatchObject({ data: { items: null } })
    expect(scope.exceeded).toEqual({ limit: 'cost', maximum })
  }
  await new Promise(setImmediate)
  process.removeAllListeners('unhandledRejection')
  for (const listener of ofRun) process.on('unhandledRejection', listener)
  expect(unheard).toEqual([])
})
