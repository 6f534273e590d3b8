import { expect, test } from 'vitest'
import { FairQueue, WaitedInVainError } from '../../src/request-scope/fair-queue.js'

/** Enters for each of these in their order. Returns the names of those who are in, in the order in which they came in. */
function entering(queue: FairQueue, names: string[], places = 1): string[] {
  const entered: string[] = []
  for (const name of names) {
    const waits = queue.enter(name, Infinity, places)
    if (waits) void waits.then(() => entered.push(name))
    else entered.push(name)
  }
  return entered
}

/** Lets promises that have been resolved go on. */
const settled = () => new Promise(setImmediate)

test('an organisation has its share and no more, while others find places free', () => {
  const queue = new FairQueue(4, 2)
  expect(entering(queue, ['flood', 'flood', 'flood', 'flood', 'other', 'other'])).toEqual(['flood', 'flood', 'other', 'other'])
  expect(queue.waiting).toBe(2)
})

test('the gateway itself has no share', () => {
  const queue = new FairQueue(3, 1)
  expect([1, 2, 3].map(() => queue.enter(undefined, Infinity))).toEqual([undefined, undefined, undefined])
})

test('who waits enters in turn, one of each organisation, however many of one wait', async () => {
  const queue = new FairQueue(1, 1)
  const entered = entering(queue, ['flood', 'flood', 'flood', 'flood', 'one', 'two', 'one'])
  for (let times = 0; times < 6; times += 1) {
    queue.leave(entered.at(-1))
    await settled()
  }
  expect(entered).toEqual(['flood', 'flood', 'one', 'two', 'flood', 'one', 'flood'])
})

test('places come in sizes, and what does not fit waits', async () => {
  const queue = new FairQueue(10, 6)
  expect(entering(queue, ['dear', 'cheap'], 4)).toEqual(['dear', 'cheap'])
  const entered = entering(queue, ['dear', 'dear', 'cheap'], 2)
  expect(entered).toEqual(['dear'])
  queue.leave('cheap', 4)
  await settled()
  expect(entered).toEqual(['dear', 'cheap'])
  queue.leave('dear', 2)
  await settled()
  expect(entered).toEqual(['dear', 'cheap', 'dear'])
})

test('who waits too long is told so, and takes no place', async () => {
  const queue = new FairQueue(1, 1)
  expect(queue.enter('one', 1)).toBeUndefined()
  await expect(queue.enter('one', 1)).rejects.toBeInstanceOf(WaitedInVainError)
  expect(queue.waiting).toBe(0)
  queue.leave('one')
  expect(queue.enter('one', 1)).toBeUndefined()
})

test('only so many of one organisation wait at a time', async () => {
  const queue = new FairQueue(1, 1)
  entering(queue, Array.from({ length: 1_001 }, () => 'flood'))
  await expect(queue.enter('flood', Infinity)).rejects.toBeInstanceOf(WaitedInVainError)
  expect(entering(queue, ['other'])).toEqual([])
  expect(queue.waiting).toBe(1_001)
})
