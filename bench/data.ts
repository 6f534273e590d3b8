import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import pg from 'pg'
import { type Database, openDatabase } from '../src/database/client.js'
import { migrate } from '../src/database/migrations.js'

export const ORGANISATION_ID = '01940000-0000-7000-8000-000000000001'
/** It opens the benchmark's own databases alone, which hold nothing but generated rows. */
export const API_KEY = 'agk_benchmark'
export const POOL_SIZE = 10
/** How many assessments there are where a benchmark asks for no other number. */
export const ASSESSMENTS = 20_000

const DIRECTORY = new URL('./.data/', import.meta.url).pathname

/** An assessment of the data, as far as requests need to know it. */
export interface Row {
  id: string
  version: number
}

/**
 * Makes the database on that server, unless it may be reused and is there: its URL and its assessments.
 *
 * @param assessments how many, a multiple of 100; everything below them grows with their number
 */
export async function preparePostgres(server: string, name: string, reuse: boolean, assessments = ASSESSMENTS): Promise<{ url: string; rows: Row[] }> {
  checkName(name)
  if (!Number.isInteger(assessments / 100) || assessments <= 0) throw new Error('The number of assessments must be a multiple of 100.')
  const url = urlOf(server, name)
  await onServer(server, async (client) => {
    const found = `SELECT FROM pg_database WHERE datname = $1 AND shobj_description(oid, 'pg_database') = $2`
    const { rowCount } = await client.query(found, [name, await fingerprint(assessments)])
    if (!reuse || rowCount === 0) {
      await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
      await client.query(`CREATE DATABASE ${name}`)
      await using(await openDatabase({ url, poolSize: 1 }), async (database) => {
        await fill(database, assessments)
        await database.pool.query(await sql('servers/postgraphile.sql'))
      })
      // Only whole data is worth reusing, so the mark comes last.
      await client.query(`COMMENT ON DATABASE ${name} IS '${await fingerprint(assessments)}'`)
    }
  })
  return { url, rows: await vacuum(url) }
}

/** Makes a database that is equal to another one of the benchmark, which nobody may be connected to: its URL. */
export async function copyPostgres(server: string, from: string, name: string): Promise<string> {
  checkName(name)
  await onServer(server, async (client) => {
    await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${from}`)
  })
  return urlOf(server, name)
}

export async function dropPostgres(server: string, names: string[]): Promise<void> {
  names.forEach(checkName)
  await onServer(server, async (client) => {
    for (const name of names) await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  })
}

/** What the server calls itself, as PostgreSQL 17.2. */
export function postgresVersion(server: string): Promise<string> {
  return onServer(server, async (client) => {
    const { rows: [row] } = await client.query<{ version: string }>(`SELECT 'PostgreSQL ' || current_setting('server_version') AS "version"`)
    return row?.version ?? 'PostgreSQL'
  })
}

/** The same on the embedded database. */
export async function prepareEmbedded(reuse: boolean): Promise<{ directory: string; rows: Row[] }> {
  const mark = `${DIRECTORY}fingerprint`
  if (!reuse || (await readFile(mark, 'utf8').catch(() => '')) !== (await fingerprint(ASSESSMENTS))) {
    await rm(DIRECTORY, { recursive: true, force: true })
    await mkdir(DIRECTORY, { recursive: true })
    // Prisma's migration engine serves one database a process: a second one makes it fail.
    execFileSync(process.execPath, ['--import', 'tsx', new URL('fill-embedded.ts', import.meta.url).pathname], { stdio: 'inherit' })
    await writeFile(mark, await fingerprint(ASSESSMENTS))
  }
  return { directory: DIRECTORY, rows: await using(await openDatabase({ dataDirectory: DIRECTORY }), tidy) }
}

/** Takes out of the way what writes have left behind, so that no server has to carry another's: the assessments as they are now. */
export async function vacuum(url: string): Promise<Row[]> {
  return using(await openDatabase({ url, poolSize: 1 }), tidy)
}

export async function fillEmbedded(): Promise<void> {
  await using(await openDatabase({ dataDirectory: DIRECTORY }), (database) => fill(database, ASSESSMENTS))
}

async function fill({ adapter, pool }: Database, assessments: number): Promise<void> {
  await migrate(adapter)
  await pool.query(`SET bench.assessments = ${assessments}; ${await sql('data.sql')}`)
  await pool.query(
    `INSERT INTO "ApiKey" ("id", "organisationId", "hash", "scopes") VALUES (gen_random_uuid(), $1, $2, '{ASSESSMENTS_WRITE,RECORDS_WRITE,RESULTS_WRITE}')`,
    [ORGANISATION_ID, createHash('sha256').update(API_KEY).digest()],
  )
}

async function tidy({ pool }: Database): Promise<Row[]> {
  await pool.query('VACUUM ANALYZE')
  const { rows } = await pool.query<Row>('SELECT "id", "version" FROM "Assessment" ORDER BY "id"')
  return rows
}

async function using<Result>(database: Database, use: (database: Database) => Promise<Result>): Promise<Result> {
  return use(database).finally(() => database.close())
}

async function onServer<Result>(server: string, use: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  return use(client).finally(() => client.end())
}

/** @throws Error for a name of anybody else's database, as those of the benchmark are dropped and made anew. */
function checkName(name: string): void {
  if (!/^assessment_gateway_bench\w*$/.test(name)) throw new Error('The name of the database must begin with assessment_gateway_bench.')
}

function urlOf(server: string, name: string): string {
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}

function sql(file: string): Promise<string> {
  return readFile(new URL(file, import.meta.url), 'utf8')
}

/** The data is the same where it was made of the same files in the same number. */
async function fingerprint(assessments: number): Promise<string> {
  return createHash('sha256').update((await sql('data.sql')) + (await sql('servers/postgraphile.sql')) + assessments).digest('hex')
}
