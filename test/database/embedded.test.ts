// The embedded database as `pg` sees it.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { ownDirectory } from '../gateway-process.js'
import { type EmbeddedDatabase, startEmbeddedDatabase } from '../../src/database/embedded.js'

let embedded: EmbeddedDatabase
let client: pg.Client
beforeAll(async () => {
  embedded = await startEmbeddedDatabase(null)
  client = new pg.Client({ host: embedded.socketDirectory, user: 'postgres', database: 'postgres' })
  await client.connect()
})
afterAll(async () => {
  await client.end()
  await embedded.close()
})

const failures: Record<string, [sql: string, values: unknown[]]> = {
  'that cannot be parsed': ['SELECT FROM WHERE $1', [1]],
  'whose values do not fit': ['SELECT $1::int', ['x']],
  'that fails while it runs': ['SELECT 1 / $1::int', [0]],
  'that fails behind its first rows': ['SELECT 1 / ($1::int - i) FROM generate_series(1, 20000) AS i', [19_999]],
}

for (const [name, [sql, values]] of Object.entries(failures)) {
  test(`after a query ${name}, each gets its own answer`, async () => {
    await expect(client.query(sql, values)).rejects.toThrow()
    await eachItsOwn()
  })

  test(`after a transaction with a query ${name}, each gets its own answer`, async () => {
    await client.query('BEGIN')
    await expect(client.query(sql, values)).rejects.toThrow()
    await expect(client.query('SELECT $1::int', [1])).rejects.toThrow('current transaction is aborted')
    await client.query('ROLLBACK')
    await eachItsOwn()
  })
}

test('an answer of many megabytes arrives whole', async () => {
  const { rows } = await client.query<{ text: string }>(`SELECT repeat('x', $1) AS "text" FROM generate_series(1, 100)`, [100_000])
  expect(rows.map(({ text }) => text.length)).toEqual(Array(100).fill(100_000))
  await eachItsOwn()
})

/** A client that gets another's rows keeps getting them, so that one question more is enough to see it. */
async function eachItsOwn(): Promise<void> {
  for (const number of [1, 2, 3]) {
    const { rows } = await client.query<{ number: number }>('SELECT $1::int AS "number"', [number])
    expect(rows).toEqual([{ number }])
  }
  const { rows } = await client.query('SELECT 4 AS "number"')
  expect(rows).toEqual([{ number: 4 }])
}

test('a TMPDIR that is too long for a socket, or that is not there, is passed over at each start', async () => {
  const own = await ownDirectory()
  const long = join(own, 'x'.repeat(101 - own.length - 1))
  await mkdir(long)
  for (const temporary of [long, join(own, 'gone')]) {
    vi.stubEnv('TMPDIR', temporary)
    for (let start = 0; start < 2; start += 1) await (await startEmbeddedDatabase(join(own, 'data'))).close()
  }
  vi.unstubAllEnvs()
})
