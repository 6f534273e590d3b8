// Which statements connections keep prepared. Those to the embedded database keep none, as they share one session.
import { describe, expect, inject, test } from 'vitest'
import { openDatabase } from '../src/database.js'
import { afterTest } from './gateway-process.js'

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
})
