// What is left of the data when the process dies, or when the disk has lost a part of it.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { cp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import pg from 'pg'
import { describe, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { type DatabaseLocation, openDatabase } from '../../src/database/client.js'
import { afterTest, type GatewayProcess, ownDirectory, seededDirectory, startGateway } from '../gateway-process.js'
import { runCommand } from '../processes.js'

const place = inject('database')
/** The run on PostgreSQL leaves the data directory to the run on the embedded database. */
const isEmbedded = !('url' in place)

/** A new, empty database on the run's PostgreSQL, dropped after the test. */
async function ownPostgres(): Promise<string> {
  if (!('url' in place)) throw new Error('This needs DATABASE_URL.')
  const server = new pg.Client({ connectionString: place.url })
  await server.connect()
  const name = `gateway_crash_${process.pid}_${Date.now()}`
  await server.query(`CREATE DATABASE ${name}`)
  afterTest(async () => {
    await server.query(`DROP DATABASE ${name} WITH (FORCE)`)
    await server.end()
  })
  const url = new URL(place.url)
  url.pathname = `/${name}`
  return url.href
}

/* ---- killed while writing ------------------------------------------------------------------------ */

interface Place {
  env: Record<string, string>
  location: DatabaseLocation
  key: string
}

const aKey = /^demo key {2}.+ {2}(\S+)$/m

async function onPglite(): Promise<Place> {
  const directory = await seededDirectory()
  const [{ key }] = z.tuple([z.object({ key: z.string() })], z.unknown()).parse(JSON.parse(await readFile(join(directory, 'demo-keys.json'), 'utf8')))
  return { env: { DATA_DIR: directory }, location: { dataDirectory: directory }, key }
}

async function onPostgres(): Promise<Place> {
  const url = await ownPostgres()
  const env = { DATABASE_URL: url, DATA_DIR: await ownDirectory() }
  expect(await runCommand('src/commands/migrate.js', [], env)).toMatchObject({ code: 0, stderr: '' })
  const { stdout } = await runCommand('prisma/seed.js', [], env)
  return { env, location: { url, poolSize: 2 }, key: aKey.exec(stdout)?.[1] ?? '' }
}

/** A write that the gateway has answered. */
interface Acknowledged {
  id: string
  version: number
  /** What the revision must say; a repeated answer changes nothing. */
  paths: string[]
  /** What the row must show as long as it has this version. */
  value: string | number
}

type Write = (gateway: GatewayProcess, key: string, count: number) => Promise<Acknowledged>

const listed = z.object({
  assessments: z.object({ nodes: z.array(z.object({ id: z.string(), sections: z.array(z.object({ questions: z.array(z.object({ id: z.string() })) })) })).min(4) }),
  assessmentLineItems: z.object({ nodes: z.array(z.object({ sourcedId: z.string(), resultValueMax: z.number().nullable() })).min(1) }),
  users: z.object({ nodes: z.array(z.object({ sourcedId: z.string() })).min(1) }),
})
const version = { version: z.number() }
const renamed = z.object({ updateAssessment: z.object({ assessment: z.object(version) }) })
const answered = z.object({ answerAssessmentQuestions: z.object({ assessment: z.object(version) }) })
const put = z.object({ putAssessmentResult: z.object({ assessmentResult: z.object({ id: z.string(), ...version }) }) })

/** Writes of each kind, to be done again and again, by several clients on the same few rows. */
async function writesOn(gateway: GatewayProcess, key: string): Promise<Write[]> {
  const { assessments, assessmentLineItems, users } = await gateway.dataOf(
    listed,
    key,
    `{ assessments(first: 4, filter: { status: [DRAFT], workflowState: [ACTIVE] }) { nodes { id sections { questions { id } } } }
       assessmentLineItems(first: 1) { nodes { sourcedId resultValueMax } } users(first: 1) { nodes { sourcedId } } }`,
  )
  const [first, second, third, fourth] = assessments.nodes
  const rename = (id: string): Write => async (to, withKey, count) => {
    const name = `name ${count}`
    const query = `mutation ($id: ID!, $name: String) { updateAssessment(id: $id, input: { name: $name }) { ... on UpdateAssessmentSuccess { assessment { version } } } }`
    const data = await to.dataOf(renamed, withKey, query, { id, name })
    return { id, version: data.updateAssessment.assessment.version, paths: ['name'], value: name }
  }
  const answer = ({ id, sections }: (typeof assessments.nodes)[number]): Write => async (to, withKey, count) => {
    const query = `mutation ($id: ID!, $answers: [AnswerInput!]!) { answerAssessmentQuestions(id: $id, answers: $answers) {
      ... on AnswerAssessmentQuestionsSuccess { assessment { version } } } }`
    const answers = [{ questionId: sections[0]?.questions[0]?.id, optionKey: null }]
    const data = await to.dataOf(answered, withKey, query, { id, answers })
    return { id, version: data.answerAssessmentQuestions.assessment.version, paths: [], value: count }
  }
  const score = (sourcedId: string): Write => async (to, withKey, count) => {
    const value = count / 1_000_000
    const query = `mutation ($sourcedId: ID!, $input: PutAssessmentResultInput!) { putAssessmentResult(sourcedId: $sourcedId, input: $input) {
      ... on PutAssessmentResultSuccess { assessmentResult { id version } } } }`
    const input = {
      status: 'ACTIVE',
      assessmentLineItemSourcedId: assessmentLineItems.nodes[0]?.sourcedId,
      studentSourcedId: users.nodes[0]?.sourcedId,
      scoreDate: '2026-03-04T10:30:00.000Z',
      scoreStatus: 'FULLY_GRADED',
      score: value,
    }
    const { assessmentResult } = (await to.dataOf(put, withKey, query, { sourcedId, input })).putAssessmentResult
    return { ...assessmentResult, paths: ['score'], value }
  }
  if (!first || !second || !third || !fourth) throw new Error('The demo data has too few drafts.')
  return [rename(first.id), rename(first.id), rename(second.id), answer(third), answer(fourth), score('crash 1'), score('crash 1'), score('crash 2')]
}

/** Lets every client write until `enough` writes are acknowledged, and kills the gateway between two answers. */
async function killWhileWriting(gateway: GatewayProcess, key: string, writes: Write[], enough: number, begin: number): Promise<Acknowledged[]> {
  const acknowledged: Acknowledged[] = []
  let count = begin
  const clients = writes.map(async (write) => {
    for (;;) acknowledged.push(await write(gateway, key, (count += 1)))
  })
  // A client ends with the error of its broken connection.
  const ended = Promise.allSettled(clients)
  await gateway.until(() => acknowledged.length >= enough)
  await gateway.kill()
  for (const result of await ended) expect(String(result.status === 'rejected' && result.reason)).toMatch(/fetch failed|terminated|other side closed/)
  return acknowledged
}

describe('killed while it writes', () => {
  test('every acknowledged write is there with its revision, twice in a row, and no half of any other', { timeout: 180_000 }, async () => {
    const { env, location, key } = await (isEmbedded ? onPglite() : onPostgres())
    const acknowledged: Acknowledged[] = []
    for (const round of [1, 2]) {
      const gateway = await startGateway(env).listening()
      const writes = await writesOn(gateway, key)
      acknowledged.push(...(await killWhileWriting(gateway, key, writes, 120, round * 10_000)))
    }
    // Once more, so that what the crash left is taken over as a gateway would.
    expect(await (await startGateway(env).listening()).stop()).toBe(0)

    const database = await openDatabase(location)
    afterTest(() => database.close())
    const { client: db } = database
    const { id: keyId } = await db.apiKey.findFirstOrThrow({ where: { hash: createHash('sha256').update(key).digest() } })
    const ids = [...new Set(acknowledged.map(({ id }) => id))]
    const revisions = await db.revision.findMany({ where: { OR: [{ assessmentId: { in: ids } }, { assessmentResultId: { in: ids } }] } })
    const rows = new Map<string, { version: number; value: unknown }>([
      ...(await db.assessment.findMany({ where: { id: { in: ids } } })).map((row) => [row.id, { version: row.version, value: row.name }] as const),
      ...(await db.assessmentResult.findMany({ where: { id: { in: ids } } })).map((row) => [row.id, { version: row.version, value: row.score }] as const),
    ])
    expect(rows.size).toBe(6)
    // No two clients were told the same version.
    expect(new Set(acknowledged.map((it) => `${it.id} ${it.version}`)).size).toBe(acknowledged.length)
    for (const { id, version: written, paths, value } of acknowledged) {
      const revision = revisions.find((it) => (it.assessmentId ?? it.assessmentResultId) === id && it.version === written)
      expect(revision?.actor).toBe(`key:${keyId}`)
      if (written === 1) expect(revision?.changedPaths).toEqual(expect.arrayContaining(['id', 'sourcedId', 'score']))
      else if (paths.length > 0) expect(revision?.changedPaths).toEqual(paths)
      else expect(['', 'sections.0.questions.0.answer']).toContain(revision?.changedPaths.join())
      const row = rows.get(id)
      expect(row?.version).toBeGreaterThanOrEqual(written)
      if (row?.version === written && paths.length > 0) expect(row.value).toBe(value)
    }
    // Of every versioned row, touched or not: exactly the revisions 1 to its version.
    const torn = await db.$queryRaw<unknown[]>`
      SELECT "id", "version", array_agg("revision" ORDER BY "revision") AS revisions FROM (
        SELECT a."id", a."version", r."version" AS "revision" FROM "Assessment" a LEFT JOIN "Revision" r ON r."assessmentId" = a."id"
        UNION ALL SELECT a."id", a."version", r."version" FROM "AssessmentRecord" a LEFT JOIN "Revision" r ON r."assessmentRecordId" = a."id"
        UNION ALL SELECT a."id", a."version", r."version" FROM "AssessmentResult" a LEFT JOIN "Revision" r ON r."assessmentResultId" = a."id"
      ) AS every
      GROUP BY "id", "version"
      HAVING array_agg("revision" ORDER BY "revision") IS DISTINCT FROM ARRAY(SELECT generate_series(1, "version"))`
    expect(torn).toEqual([])
  })
})

/* ---- killed while it starts ---------------------------------------------------------------------- */

function entries(directory: string): number {
  return existsSync(directory) ? readdirSync(directory).length : 0
}

describe.runIf(isEmbedded)('killed during its very first start', () => {
  const cluster = (directory: string) => join(directory, 'pglite')
  const tables = (directory: string) => entries(join(cluster(directory), 'base', '5'))

  test.each<[string, (directory: string) => () => boolean]>([
    ['while the empty database is unpacked', (directory) => () => tables(directory) > 100],
    ['when it is unpacked but was never opened', (directory) => () => existsSync(join(cluster(directory), 'PG_VERSION'))],
    [
      'in the middle of a migration',
      (directory) => {
        let unpacked = Number.POSITIVE_INFINITY
        return () => {
          // The tables of the migration come on top of those that were unpacked.
          const isOpen = existsSync(join(cluster(directory), 'postmaster.pid'))
          unpacked = isOpen ? Math.min(unpacked, tables(directory)) : unpacked
          return tables(directory) > unpacked + 20
        }
      },
    ],
    ['when the demo data is about to be shown', (directory) => () => existsSync(join(directory, 'demo-keys.json'))],
  ])('%s, it starts anew as if nothing had happened', async (_, moment) => {
    const directory = await ownDirectory()
    const first = startGateway({ DATA_DIR: directory })
    const isMoment = moment(directory)
    await first.until(isMoment)
    await first.kill()
    const second = await startGateway({ DATA_DIR: directory }).listening()
    expect(second.keys).toHaveLength(2)
    for (const key of second.keys) {
      const counted = z.object({ assessments: z.object({ totalCount: z.number().min(1) }), entities: z.object({ totalCount: z.number().min(1) }) })
      await second.dataOf(counted, key, '{ assessments { totalCount } entities { totalCount } }')
    }
    expect(await second.stop()).toBe(0)
    expect(await readdir(directory)).toEqual(['demo-keys.json', 'pglite'])
  })
})

test.skipIf(isEmbedded)('npm run migrate goes on after one that was killed', async () => {
  const url = await ownPostgres()
  const watcher = new pg.Client({ connectionString: url })
  await watcher.connect()
  // What one leaves behind that was killed before its SQL was committed.
  await watcher.query(`CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
    migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count int NOT NULL DEFAULT 0)`)
  await watcher.query(`INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('1', 'x', '20261121000000_init')`)
  const again = await runCommand('src/commands/migrate.js', [], { DATABASE_URL: url })
  const { rows } = await watcher.query('SELECT count(*)::int AS all, count(finished_at)::int AS finished FROM _prisma_migrations')
  await watcher.end()
  expect(again).toMatchObject({ code: 0, stderr: '' })
  expect(again.stdout).toContain('applied  20261121000000_init')
  const [{ all, finished }] = z.tuple([z.object({ all: z.number(), finished: z.number() })]).parse(rows)
  expect(all).toBeGreaterThan(0)
  expect(finished).toBe(all)
})

/* ---- a damaged data directory -------------------------------------------------------------------- */

/** The files below a directory with their contents' hashes, but for what PostgreSQL itself keeps account in when it starts. */
async function contents(directory: string): Promise<Map<string, string>> {
  const files = await readdir(directory, { recursive: true, withFileTypes: true })
  const own = /(^|\/)(pg_internal\.init|postmaster\.pid|pg_control|pg_wal\/.*)$/
  const kept = files
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name))
    .filter((file) => !own.test(relative(directory, file)))
    .sort()
  return new Map(
    await Promise.all(kept.map(async (file) => [relative(directory, file), createHash('sha256').update(await readFile(file)).digest('hex')] as const)),
  )
}

describe.runIf(isEmbedded)('a damaged data directory', () => {
  const garbage = Buffer.alloc(8192, 'garbage')

  test.each<[string, string, (file: string) => Promise<unknown>]>([
    ['lost PG_VERSION', 'PG_VERSION', (file) => rm(file)],
    ['has another PG_VERSION', 'PG_VERSION', (file) => writeFile(file, '12\n')],
    ['lost pg_control', 'global/pg_control', (file) => rm(file)],
    ['has garbage in pg_control', 'global/pg_control', (file) => writeFile(file, garbage)],
    ['has an empty pg_control', 'global/pg_control', (file) => truncate(file)],
    ['has an empty catalog', 'base/5/1259', (file) => truncate(file)],
    ['has garbage in a catalog', 'base/5/1249', (file) => writeFile(file, garbage)],
    ['lost its tables', 'base', (file) => rename(file, `${file}.lost`)],
  ])('that %s is told in a sentence, and nothing in it is overwritten', async (_, name, damage) => {
    const directory = await seededDirectory()
    const cluster = join(directory, 'pglite')
    await damage(join(cluster, name))
    const before = await contents(directory)
    const { code, stdout, stderr } = await runCommand('src/main.js', [], { DATA_DIR: directory, PORT: '0' })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe(
      `The embedded database in ${cluster} cannot be opened; its data was left as it is. ` +
        'If the directory is damaged, restore it from a backup or set DATA_DIR to another one.\n',
    )
    expect(await contents(directory)).toEqual(before)
    expect(existsSync(join(directory, 'lock'))).toBe(false)
  })

  test('that holds something else altogether is not touched', async () => {
    const directory = await seededDirectory()
    const cluster = join(directory, 'pglite')
    await rm(cluster, { recursive: true })
    await cp(new URL('../../prisma', import.meta.url), cluster, { recursive: true })
    const before = await contents(directory)
    expect(await runCommand('src/main.js', [], { DATA_DIR: directory, PORT: '0' })).toMatchObject({ code: 1, stdout: '' })
    expect(await contents(directory)).toEqual(before)
  })

  test('serves all of its data again once the lost file is back', async () => {
    const directory = await seededDirectory()
    const keys = z.array(z.object({ key: z.string() })).parse(JSON.parse(await readFile(join(directory, 'demo-keys.json'), 'utf8')))
    const file = join(directory, 'pglite', 'PG_VERSION')
    await rename(file, `${file}.lost`)
    expect(await runCommand('src/main.js', [], { DATA_DIR: directory, PORT: '0' })).toMatchObject({ code: 1 })
    await rename(`${file}.lost`, file)
    const gateway = await startGateway({ DATA_DIR: directory }).listening()
    expect(gateway.keys).toEqual(keys.map(({ key }) => key))
    const counted = z.object({ assessments: z.object({ totalCount: z.number().min(1) }) })
    await gateway.dataOf(counted, gateway.keys[0] ?? '', '{ assessments { totalCount } }')
  })
})
