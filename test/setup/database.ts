import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { openDatabase } from '../../src/database.js'
import { startEmbeddedDatabase } from '../../src/embedded-database.js'
import { migrate } from '../../src/migrations.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where the tests' own, migrated database is. */
    database: { url: string } | { socketDirectory: string }
  }
}

/**
 * Makes a database for this run and drops it afterwards: on the PostgreSQL of DATABASE_URL, else
 * an embedded one in memory.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = process.env['DATABASE_URL']
  if (!server) {
    const embedded = await startEmbeddedDatabase(null)
    await migrateAt({ socketDirectory: embedded.socketDirectory })
    project.provide('database', { socketDirectory: embedded.socketDirectory })
    return () => embedded.close()
  }
  const name = `gateway_test_${randomBytes(6).toString('hex')}`
  await execute(server, `CREATE DATABASE ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
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
