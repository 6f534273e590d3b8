import { afterAll, describe, expect, inject, test, vi } from 'vitest'
import { NoConnectionError, RequestPool } from '../../src/database/pool.js'
import { RequestScope, runInScope } from '../../src/request-scope/request-scope.js'
import { isTurnOver } from '../../src/request-scope/turns.js'

const place = inject('database')

// The embedded database has one connection, which nobody closes, and sends all of a result at once.
describe.runIf('url' in place)('on PostgreSQL', () => {
  const pool = new RequestPool({ connectionString: 'url' in place ? place.url : '', max: 1, share: 1, waitMs: 5_000, canInterrupt: true })
  afterAll(() => pool.end())

  test('a result whose rows take long is read in turns of the event loop', async () => {
    let turns = 0
    let isReading = true
    const count = () => {
      turns += 1
      if (isReading) setImmediate(count)
    }
    /** Each value uses up a turn. */
    const parse = () => {
      if (turns === 0) count()
      while (!isTurnOver()) Math.sqrt(2)
    }
    const LONG_ROWS = `SELECT repeat('x', 200000) AS value FROM generate_series(1, 20)`
    await pool.query({ text: LONG_ROWS, types: { getTypeParser: () => parse } })
    isReading = false
    expect(turns).toBeGreaterThanOrEqual(19)
  })

  test('a request that is interrupted several times closes its connection once', async () => {
    const scope = new RequestScope('interrupted')
    const client = await runInScope(scope, () => pool.connect())
    const end = vi.spyOn(client, 'end')
    scope.interrupt('TOO_LARGE', { limit: 'bytes', maximum: 1 })
    scope.interrupt('TIMEOUT')
    expect(end).toHaveBeenCalledTimes(1)
    client.release(true)
  })

  test('a request that is interrupted while its connection is opened sends nothing', async () => {
    const scope = new RequestScope('interrupted')
    const connecting = runInScope(scope, () => pool.connect())
    await new Promise(setImmediate)
    expect({ total: pool.totalCount, idle: pool.idleCount }).toEqual({ total: 1, idle: 0 })
    scope.interrupt('TIMEOUT')
    await expect(connecting).rejects.toBeInstanceOf(NoConnectionError)
    await expect.poll(() => pool.idleCount).toBe(1)
    await pool.query('SELECT 1')
  })

  test('a request uses two connections at a time, and leaves the others to other requests', async () => {
    const larger = new RequestPool({ connectionString: 'url' in place ? place.url : '', max: 4, share: 4, waitMs: 5_000, canInterrupt: true })
    const scope = new RequestScope('greedy')
    const connect = () => runInScope(scope, () => larger.connect())
    const [first, second] = await Promise.all([connect(), connect()])
    const third = connect()
    const other = await runInScope(new RequestScope('another'), () => larger.connect())
    expect(larger.totalCount).toBe(3)
    other.release()
    first.release()
    const ofThird = await third
    expect(larger.totalCount).toBe(3)
    ofThird.release()
    second.release()
    const waiting = [connect(), connect(), connect()]
    scope.interrupt('TIMEOUT')
    await expect(waiting[2]).rejects.toBeInstanceOf(NoConnectionError)
    await Promise.allSettled(waiting)
    await expect.poll(() => larger.idleCount).toBe(larger.totalCount)
    await larger.end()
  })
})
