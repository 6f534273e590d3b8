import { expect, test } from 'vitest'
import { jsonInTurns } from '../../../src/server/http/json-in-turns.js'

const long = Array.from({ length: 300_000 }, (_, index) => ({ index, nested: [{ text: 'some text' }] }))

test.each([
  ['a leaf', 'text'],
  ['nothing', null],
  ['an object', { a: 1, b: null, c: undefined, d: [true, 'é"\n'], e: {}, f: [] }],
  ['a long list', long.slice(0, 2_000)],
  ['a long text', { text: '\u0001é'.repeat(100_000) }],
  ['a long list of long texts, with nothing in between', { list: [undefined, 'x'.repeat(70_000), { a: undefined, b: 'y'.repeat(70_000) }] }],
])('%s is written as JSON.stringify writes it', async (_, value) => {
  expect((await jsonInTurns(value, Infinity))?.toString()).toBe(JSON.stringify(value))
})

test('more bytes than allowed are not written', async () => {
  const text = { text: 'é'.repeat(100_000) }
  const { length } = Buffer.from(JSON.stringify(text))
  expect(await jsonInTurns(text, length)).toHaveLength(length)
  expect(await jsonInTurns(text, length - 1)).toBeUndefined()
  expect(await jsonInTurns(long, 1_000)).toBeUndefined()
})

test('what is beyond that is not even looked at', async () => {
  let looked = 0
  const item = {
    get text() {
      looked += 1
      return 'x'.repeat(60_000)
    },
  }
  expect(await jsonInTurns(Array.from({ length: 1_000 }, () => item), 1_000)).toBeUndefined()
  expect(looked).toBeLessThan(20)
})

test('others are served while a long value is written', async () => {
  const order: string[] = []
  const written = jsonInTurns(long, Infinity).then(() => order.push('written'))
  setImmediate(() => order.push('another'))
  await written
  expect(order).toEqual(['another', 'written'])
})
