import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import pg from 'pg'
import { type Database, openDatabase } from '../src/database.js'
import { migrate } from '../src/migrations.js'

export const ORGANISATION_ID = '01940000-0000-7000-8000-000000000001'
/** It opens the benchmark's own databases alone, which hold nothing but generated rows. */
export const API_KEY = 'agk_benchmark'
export const POOL_SIZE = 10

const DIRECTORY = new URL('./.data/', import.meta.url).pathname

/** An assessment of the data, as far as requests need to know it. */
export interface Row {
  id: string
  version: number
}

/** Makes the database on that server, unless it may be reused and is there: its URL and its assessments. */
export async function preparePostgres(server: string, name: string, reuse: boolean): Promise<{ url: string; rows: Row[]; version: string }> {
  // It is dropped and made anew, which no other database may suffer from a slip of the pen.
  if (!/^assessment_gateway_bench\w*$/.test(name)) throw new Error('The name of the database must begin with assessment_gateway_bench.')
  const url = new URL(server)
  url.pathname = `/${name}`
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  try {
    const found = `SELECT FROM pg_database WHERE datname = $1 AND shobj_description(oid, 'pg_database') = $2`
    const { rowCount } = await client.query(found, [name, await fingerprint()])
    if (!reuse || rowCount === 0) {
      await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
      await client.query(`CREATE DATABASE ${name}`)
      await using(await openDatabase({ url: url.href, poolSize: 1 }), async (database) => {
        await fill(database)
        await database.pool.query(await sql('servers/postgraphile.sql'))
      })
      // Only whole data is worth reusing, so the mark comes last.
      await client.query(`COMMENT ON DATABASE ${name} IS '${await fingerprint()}'`)
    }
  } finally {
    await client.end()
  }
  return using(await openDatabase({ url: url.href, poolSize: 1 }), async (database) => {
    const { rows: [row] } = await database.pool.query<{ version: string }>(`SELECT 'PostgreSQL ' || current_setting('server_version') AS "version"`)
    return { url: url.href, rows: await tidy(database), version: row?.version ?? 'PostgreSQL' }
  })
}

/** The same on the embedded database. */
export async function prepareEmbedded(reuse: boolean): Promise<{ directory: string; rows: Row[] }> {
  const mark = `${DIRECTORY}fingerprint`
  if (!reuse || (await readFile(mark, 'utf8').catch(() => '')) !== (await fingerprint())) {
    await rm(DIRECTORY, { recursive: true, force: true })
    await mkdir(DIRECTORY, { recursive: true })
    // Prisma's migration engine serves one database a process: a second one makes it fail.
    execFileSync(process.execPath, ['--import', 'tsx', new URL('fill-embedded.ts', import.meta.url).pathname], { stdio: 'inherit' })
    await writeFile(mark, await fingerprint())
  }
  return { directory: DIRECTORY, rows: await using(await openDatabase({ dataDirectory: DIRECTORY }), tidy) }
}

/** Takes out of the way what writes have left behind, so that no server has to carry another's. */
export async function vacuum(url: string): Promise<void> {
  await using(await openDatabase({ url, poolSize: 1 }), tidy)
}

export async function fillEmbedded(): Promise<void> {
  await using(await openDatabase({ dataDirectory: DIRECTORY }), fill)
}

async function fill({ adapter, pool }: Database): Promise<void> {
  await migrate(adapter)
  await pool.query(await sql('data.sql'))
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

function sql(file: string): Promise<string> {
  return readFile(new URL(file, import.meta.url), 'utf8')
}

async function fingerprint(): Promise<string> {
  return createHash('sha256').update((await sql('data.sql')) + (await sql('servers/postgraphile.sql'))).digest('hex')
}
