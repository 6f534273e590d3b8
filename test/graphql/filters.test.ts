import { GraphQLError } from 'graphql'
import { expect, test } from 'vitest'
import { anyOf } from '../../src/graphql/filters.js'

test('a list with too many different values is refused without reading the rest of it', () => {
  let read = 0
  const values = function* () {
    for (;;) yield read++
  }
  expect(() => anyOf(values())).toThrow(GraphQLError)
  expect(read).toBe(1_001)
})

test('a list may have the same values any number of times', () => {
  expect(anyOf(Array.from({ length: 40_000 }, (_, index) => index % 1_000)).in).toHaveLength(1_000)
})
