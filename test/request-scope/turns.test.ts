import DataLoader from 'dataloader'
import { describe, expect, test } from 'vitest'
import { RequestScope, runInScope } from '../../src/request-scope/request-scope.js'
import { afterTurns, isTurnOver, nextTurn } from '../../src/request-scope/turns.js'

/** Works until this turn of the event loop is over. */
function workThroughTurn(): void {
  while (!isTurnOver()) Math.sqrt(2)
}

/** Works through so many turns, as one request. */
async function work(turns: number, done: () => void): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) {
    workThroughTurn()
    await nextTurn()
  }
  done()
}

describe('long work', () => {
  test('lets what comes meanwhile be done first', async () => {
    const order: string[] = []
    const long = work(5, () => order.push('long'))
    setImmediate(() => order.push('short'))
    await long
    expect(order).toEqual(['short', 'long'])
  })

  test('of several requests goes on one after another, however much each has to do', async () => {
    const order: string[] = []
    const step = async (name: string) => {
      await nextTurn()
      order.push(name)
      workThroughTurn()
    }
    workThroughTurn()
    const many = runInScope(new RequestScope('many'), () => Promise.all(['many', 'many', 'many'].map(step)))
    const one = runInScope(new RequestScope('one'), () => step('one'))
    await Promise.all([many, one])
    expect(order).toEqual(['many', 'one', 'many', 'many'])
  })

  test('of many requests in one line goes on as if they were one request', async () => {
    const order: string[] = []
    const step = (name: string, line?: string) =>
      runInScope(new RequestScope(name), async () => {
        await nextTurn(undefined, line)
        order.push(name)
        workThroughTurn()
      })
    workThroughTurn()
    const events = ['event', 'event', 'event'].map((name) => step(name, 'an organisation'))
    await Promise.all([...events, step('other')])
    expect(order).toEqual(['event', 'other', 'event', 'event'])
  })

  test('ends when its request is interrupted', async () => {
    const scope = new RequestScope('late')
    const working = runInScope(scope, () => work(1_000_000, () => {}))
    setImmediate(() => scope.interrupt('TIMEOUT'))
    await expect(working).rejects.toThrow('interrupted')
  })
})

test('a batch is loaded when the work of its request is done, over however many turns', async () => {
  const batches: number[] = []
  const loader = new DataLoader<number, number>(
    (keys) => {
      batches.push(keys.length)
      return Promise.resolve(keys)
    },
    { batchScheduleFn: afterTurns },
  )
  await runInScope(new RequestScope('one'), () =>
    Promise.all(
      [1, 2, 3, 4].map(async (key) => {
        if (isTurnOver()) await nextTurn()
        const loaded = loader.load(key)
        workThroughTurn()
        return loaded
      }),
    ),
  )
  expect(batches).toEqual([4])
})
