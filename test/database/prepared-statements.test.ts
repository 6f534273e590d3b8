// Which statements connections keep prepared. Those to the embedded database keep none, as they share one session.
import { describe, expect, inject, test } from 'vitest'
import { openDatabase } from '../../src/database/client.js'
import { afterTest } from '../gateway-process.js'

const place = inject('database')

describe.runIf('url' in place)('a statement', () => {
  async function ownStatements() {
    const database = await openDatabase({ url: 'url' in place ? place.url : '', poolSize: 1 })
    afterTest(() => database.close())
    const { statements } = database
    const prepared = async () =>
      (await statements.rows<{ statement: string }>('SELECT "statement" FROM pg_prepared_statements', [])).map(({ statement }) => statement)
    return { statements, prepared }
  }

  test('that comes often is prepared, once for all of its values', async () => {
    const { statements, prepared } = await ownStatements()
    for (let value = 0; value < 20; value++) {
      expect(await statements.rows('SELECT $1::int AS value', [value])).toEqual([{ value }])
    }
    expect(await prepared()).toEqual(['SELECT $1::int AS value'])
  })

  test('that comes often is prepared also after many that came once', async () => {
    const { statements, prepared } = await ownStatements()
    for (let text = 0; text < 1_500; text++) await statements.rows(`SELECT ${text} AS value`, [])
    expect(await prepared()).toEqual([])
    for (let time = 0; time < 20; time++) await statements.rows('SELECT $1::int AS value', [1])
    expect(await prepared()).toEqual(['SELECT $1::int AS value'])
  })

  test('that comes often is prepared also after as many as are kept, and a connection never holds more than twice as many', async () => {
    const { statements, prepared } = await ownStatements()
    let most = 0
    for (let text = 0; text < 1_200; text++) {
      for (let time = 0; time < 10; time++) await statements.rows(`SELECT ${text} AS often`, [])
      if (text % 100 === 99) most = Math.max(most, (await prepared()).length)
    }
    expect(most).toBeGreaterThan(500)
    expect(most).toBeLessThanOrEqual(1_000)
    for (let time = 0; time < 20; time++) await statements.rows('SELECT $1::int AS latest', [1])
    expect(await prepared()).toContain('SELECT $1::int AS latest')
  })

  test('that PostgreSQL refuses leaves its connection in use', async () => {
    const { statements } = await ownStatements()
    const pid = async () => (await statements.rows<{ pid: number }>('SELECT pg_backend_pid() AS pid', []))[0]?.pid
    const before = await pid()
    await expect(statements.rows('SELECT 1 / 0', [])).rejects.toThrow('division by zero')
    expect(await pid()).toBe(before)
  })
})
