import { execute, GraphQLInt, GraphQLList, GraphQLObjectType, GraphQLSchema, parse } from 'graphql'
import { expect, test } from 'vitest'
import { Budget } from '../../src/graphql/budget.js'
import { boundLongAnswers } from '../../src/graphql/long-answers.js'
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
