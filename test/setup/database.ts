import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { openDatabase } from '../../src/database/client.js'
import { startEmbeddedDatabase } from '../../src/database/embedded.js'
import { migrate } from '../../src/database/migrations.js'
import { temporaryDirectory } from '../processes.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where the tests' own, migrated database is; embedded, each worker has one, as it has a single connection. */
    database: { url: string } | { socketDirectories: string[] }
    /** A directory for what tests share; it goes with the run. */
    scratch: string
  }
}

/** The gateway must not depend on what administrators have set for a server, a database or a role: the tests' database has it otherwise. */
const UNUSUAL = {
  DateStyle: 'German',
  IntervalStyle: 'sql_standard',
  TimeZone: `'America/St_Johns'`,
  extra_float_digits: '-3',
  bytea_output: 'escape',
  standard_conforming_strings: 'off',
  array_nulls: 'off',
  transform_null_equals: 'on',
  default_transaction_isolation: 'serializable',
  client_encoding: 'LATIN1',
  search_path: 'nowhere, tested, public',
}

/** Makes a database and a directory for this run, which go with it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const scratch = await temporaryDirectory()
  project.provide('scratch', scratch.path)
  const dropDatabase = await makeDatabase(project)
  return async () => {
    await dropDatabase()
    await scratch.remove()
  }
}

/** On the PostgreSQL of DATABASE_URL, else embedded ones in memory. Answers how to drop them. */
async function makeDatabase(project: TestProject): Promise<() => Promise<void>> {
  const server = process.env['DATABASE_URL']
  if (!server) {
    const embedded = await Promise.all(Array.from({ length: project.config.maxWorkers }, () => startEmbeddedDatabase(null)))
    const socketDirectories = embedded.map(({ socketDirectory }) => socketDirectory)
    await Promise.all(socketDirectories.map((socketDirectory) => migrateAt({ socketDirectory })))
    project.provide('database', { socketDirectories })
    return async () => {
      await Promise.all(embedded.map((it) => it.close()))
    }
  }
  const name = `gateway_test_${randomBytes(6).toString('hex')}`
  await execute(server, `CREATE DATABASE ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  for (const [setting, value] of Object.entries(UNUSUAL)) await execute(server, `ALTER DATABASE ${name} SET ${setting} = ${value}`)
  await execute(url.href, 'CREATE SCHEMA tested')
  url.searchParams.set('options', '-c TimeZone=Asia/Tokyo -c DateStyle=SQL,DMY -c client_connection_check_interval=0')
  await migrateAt({ url: url.href, poolSize: 1 })
  project.provide('database', { url: url.href })
  return () => execute(server, `DROP DATABASE ${name} WITH (FORCE)`)
}

async function migrateAt(location: Parameters<typeof openDatabase>[0]): Promise<void> {
  const database = await openDatabase(location)
  await migrate(database.adapter)
  await database.close()
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(sql)
  await client.end()
}
