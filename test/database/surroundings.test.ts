// PostgreSQL as others have set it up: other schemas, roles with few rights, and what cannot be reached.
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type Database, openDatabase } from '../../src/database/client.js'
import { migrate } from '../../src/database/migrations.js'
import { prepare, requireMigrated } from '../../src/database/with-database.js'
import { createStore } from '../../src/sql-store/index.js'
import { makeDatabase } from '../lost-updates/database.js'

const place = inject('database')

describe.runIf('url' in place)('on PostgreSQL', () => {
  const server = 'url' in place ? place.url : ''
  const name = `gateway_surroundings_${randomBytes(6).toString('hex')}`
  const role = `${name}_role`
  let made: Awaited<ReturnType<typeof makeDatabase>>
  let admin: Database
  beforeAll(async () => {
    made = await makeDatabase(server, name)
    admin = await openDatabase({ url: made.url, poolSize: 1 })
    await admin.pool.query(`CREATE ROLE ${role} LOGIN; GRANT CREATE ON DATABASE ${name} TO ${role}; CREATE EXTENSION pg_trgm`)
  })
  afterAll(async () => {
    await admin.pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    await admin.close()
    await made.drop()
  })

  const urlWith = (change: (url: URL) => void) => {
    const url = new URL(made.url)
    change(url)
    return url.href
  }
  const byRole = (parameters: Record<string, string> = {}) =>
    urlWith((url) => {
      url.username = role
      for (const [parameter, value] of Object.entries(parameters)) url.searchParams.set(parameter, value)
    })
  const messageOf = (doing: Promise<unknown>) => doing.then(() => 'It succeeds.', (error: unknown) => (error instanceof Error ? error.message : String(error)))
  const sentenceOf = (url: string) => messageOf(openDatabase({ url, poolSize: 1 }))
  const opened = async <Result>(url: string, use: (database: Database) => Promise<Result>): Promise<Result> => {
    const database = await openDatabase({ url, poolSize: 2 })
    return use(database).finally(() => database.close())
  }

  /** Migrations, Prisma's statements and ours all use this schema. */
  async function usesAlone(schema: string, url: string): Promise<void> {
    await opened(url, async (database) => {
      await migrate(database.adapter)
      await prepare(database)
      const { id } = await database.client.organisation.create({ data: { name: schema } })
      const byUs = await createStore(database.client, database.statements).organisation.findUnique({ where: { id }, select: { name: true } })
      const byPrisma = await database.client.organisation.findFirst({ where: { name: { contains: schema } } })
      expect([byUs?.name, byPrisma?.id]).toEqual([schema, id])
    })
    const { rows } = await admin.pool.query<{ name: string }>(`SELECT name FROM "${schema}"."Organisation"`)
    expect(rows).toEqual([{ name: schema }])
  }

  test('the schema of ?schema= is used, and no other', async () => {
    await admin.pool.query('CREATE SCHEMA "Other one"')
    await usesAlone('Other one', urlWith((url) => url.searchParams.set('schema', 'Other one')))
  })

  test('a role that has a schema of its own name uses that, beside a migrated public one', async () => {
    await usesAlone('public', made.url)
    await admin.pool.query(`CREATE SCHEMA AUTHORIZATION ${role}`)
    await usesAlone(role, byRole())
    await admin.pool.query(`ALTER ROLE ${role} SET search_path = nowhere, ${role}`)
    await opened(byRole(), requireMigrated)
  })

  test('what a session is does not depend on the role or on the URL', async () => {
    const told = "current_setting('lock_timeout') || ' ' || current_setting('statement_timeout') || ' ' || current_setting('TimeZone') || ' ' || current_setting('client_connection_check_interval')"
    await admin.pool.query(`ALTER ROLE ${role} SET lock_timeout = 1; ALTER ROLE ${role} SET statement_timeout = 2`)
    const parameters = { schema: 'public', lock_timeout: '3', statement_timeout: '4', options: '-c TimeZone=Asia/Tokyo -c client_connection_check_interval=0 -c statement_timeout=5' }
    const timed = await openDatabase({ url: byRole(parameters), poolSize: 1, statementTimeoutMs: 30_000 })
    expect((await timed.pool.query<{ is: string }>(`SELECT ${told} AS "is"`)).rows).toEqual([{ is: '0 30s UTC 500ms' }])
    await timed.close()
    await admin.pool.query(`ALTER ROLE ${role} RESET ALL`)
  })

  test('a schema that does not exist is a sentence', async () => {
    expect(await sentenceOf(byRole({ schema: 'none' }))).toBe('DATABASE_URL names the schema "none", which does not exist or which the role may not use.')
    await admin.pool.query(`CREATE ROLE ${role}_lost LOGIN; ALTER ROLE ${role}_lost SET search_path = nowhere`)
    expect(await sentenceOf(urlWith((url) => (url.username = `${role}_lost`)))).toBe('None of the schemas in the search_path nowhere exists and may be used by the role. Name one by ?schema= in DATABASE_URL.')
    await admin.pool.query(`DROP ROLE ${role}_lost`)
  })

  test('rights that are missing are a sentence', async () => {
    await admin.pool.query(`GRANT USAGE ON SCHEMA public TO ${role}`)
    const url = byRole({ schema: 'public' })
    expect(await messageOf(opened(url, prepare))).toMatch(new RegExp(`^The role "${role}" of DATABASE_URL lacks rights: INSERT on Assessment, AssessmentRecord, AssessmentResult, Revision; SELECT on .*User.*_prisma_migrations; UPDATE on .*; USAGE on .*\\. Grant them`))
    await admin.pool.query(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}; GRANT INSERT, UPDATE ON "Assessment", "AssessmentRecord" TO ${role}; GRANT INSERT ON "Revision" TO ${role}; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ${role}`)
    expect(await messageOf(opened(url, prepare))).toContain('lacks rights: INSERT on AssessmentResult; UPDATE on AssessmentResult.')
    await admin.pool.query(`GRANT INSERT, UPDATE ON "AssessmentResult" TO ${role}`)
    expect(await messageOf(opened(url, prepare))).toBe('It succeeds.')
  })

  test('a migration that the role may not make is a sentence', async () => {
    await admin.pool.query(`CREATE SCHEMA closed; GRANT USAGE ON SCHEMA closed TO ${role}`)
    const message = await messageOf(opened(byRole({ schema: 'closed' }), ({ adapter }) => migrate(adapter)))
    expect(message).toBe('The database cannot be migrated: permission denied for schema closed.')
    await admin.pool.query(`UPDATE "_prisma_migrations" SET finished_at = NULL WHERE migration_name = (SELECT max(migration_name) FROM "_prisma_migrations"); GRANT SELECT, UPDATE, INSERT, DELETE ON "_prisma_migrations" TO ${role}`)
    expect(await messageOf(opened(byRole({ schema: 'public' }), ({ adapter }) => migrate(adapter)))).toMatch(/^The database cannot be migrated: (must be owner of|permission denied for) .*\.$/)
  })

  test('what PostgreSQL refuses, and why, is told apart', async () => {
    expect(await sentenceOf(urlWith((url) => (url.pathname = '/nothing')))).toBe('PostgreSQL refuses the connection: database "nothing" does not exist. Check DATABASE_URL.')
    expect(await sentenceOf(urlWith((url) => (url.username = 'nobody')))).toBe('PostgreSQL refuses the connection: role "nobody" does not exist. Check DATABASE_URL.')
    expect(await sentenceOf(urlWith((url) => (url.port = '1')))).toMatch(/^The database cannot be reached \(.*\)\. Check DATABASE_URL and that PostgreSQL is running there\.$/)
    const { rows: [ssl] } = await admin.pool.query<{ ssl: string }>('SHOW ssl')
    if (ssl?.ssl === 'off') {
      expect(await sentenceOf(urlWith((url) => url.searchParams.set('sslmode', 'require')))).toBe('The connection to PostgreSQL cannot be encrypted: The server does not support SSL connections. Check sslmode in DATABASE_URL.')
    }
  })
})
