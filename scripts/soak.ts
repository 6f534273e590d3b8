// Mixed load on the real server for a while: `npm run soak -- [--seconds N] [--clients N]`. On
// DATABASE_URL, in a database of its own, else on an embedded one in a temporary directory. Prints
// one line of JSON, and exits with 1 unless memory and connections stay flat and nothing fails.
//
// Flat is what this file says: over the last two thirds of the samples, a straight line through
// them rises by at most HEAP_GROWTH (what is left of the heap after a collection) and RSS_GROWTH
// (resident memory) of their mean. The first third is for caches and compilers to warm up.
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { z } from 'zod'
import { openDatabase } from '../src/database/client.js'
import { seedWhenEmpty } from '../src/demo/data.js'
import { migrate } from '../src/database/migrations.js'
import { createKey } from '../src/organisations/service.js'
import { isFailure } from '../src/domain/failures.js'
import { scopes } from '../src/domain/scopes.js'
import { makeDatabase } from '../test/lost-updates/database.js'
import { randomFrom } from '../test/lost-updates/random.js'
import { RestartableServer } from '../test/lost-updates/server.js'
import { Load } from './soak-load.js'

const HEAP_GROWTH = 0.1
const RSS_GROWTH = 0.2
const POOL_SIZE = 10
/** One more connection listens for changes of other processes. */
const CONNECTIONS = POOL_SIZE + 1
const SAMPLE_MS = 2_000
/** Every so many samples the heap is collected before it is measured. */
const COLLECT_EVERY = 5

const { values } = parseArgs({ options: { seconds: { type: 'string' }, clients: { type: 'string' } } })
const whole = (fallback: number) => z.coerce.number().int().min(1).default(fallback)
const options = z.object({ seconds: whole(600), clients: whole(8) }).parse(values)

type Place = { url: string } | { directory: string }

async function soak(place: Place): Promise<void> {
  const key = await fill(place)
  const env: Record<string, string> = 'url' in place ? { DATABASE_URL: place.url, DATABASE_POOL_SIZE: `${POOL_SIZE}` } : { DATA_DIR: place.directory }
  const server = new RestartableServer(['--expose-gc', '--import', './scripts/soak-probe.js', 'dist/src/main.js'], {
    ...env,
    PORT: '0',
    NODE_ENV: 'production',
    LOG_LEVEL: 'error',
  })
  await server.start()
  try {
    const load = new Load(server.url, key)
    await load.fillCaches()
    const began = performance.now()
    const clients = Array.from({ length: options.clients }, (_, client) => load.run(randomFrom(client)))
    const samples = await sampleUntil(began + options.seconds * 1000, server, place, load).finally(() => load.stop())
    await Promise.all(clients)
    const figures = { ...figuresOf(samples), ...load.counts, errors: load.errors.length }
    const exitCode = await server.stop()
    const failures = [...failuresOf(samples), ...load.errors.slice(0, 10), ...(server.log === '' ? [] : [`the server logged: ${server.log.slice(0, 2000)}`])]
    if (exitCode !== 0) failures.push(`the server ended with ${exitCode ?? 'a signal'}`)
    for (const failure of failures) process.stderr.write(`${failure}\n`)
    const database = 'url' in place ? 'PostgreSQL' : 'PGlite'
    process.stdout.write(`${JSON.stringify({ database, ...options, ...figures, passed: failures.length === 0 })}\n`)
    if (failures.length > 0) process.exitCode = 1
  } finally {
    await server.kill()
  }
}

/** Fills the database with the demo data: a key for its first organisation. */
async function fill(place: Place): Promise<string> {
  const database = await openDatabase('url' in place ? { url: place.url, poolSize: 2 } : { dataDirectory: place.directory })
  try {
    await migrate(database.adapter)
    await seedWhenEmpty(database.client)
    const { id } = await database.client.organisation.findFirstOrThrow({ orderBy: { companyId: 'asc' } })
    const key = await createKey(database.client, { organisationId: id, scopes: [...scopes], subject: undefined })
    if (isFailure(key)) throw new Error(key.message)
    return key.key
  } finally {
    await database.close()
  }
}

/* ---- samples ------------------------------------------------------------------------------------- */

interface Sample {
  seconds: number
  rssMiB: number
  /** After a collection; only some samples have one. */
  heapMiB: number | null
  /** Connections of the server; null with the embedded database, which has one. */
  connections: number | null
  /** Open files and sockets, where the system tells. */
  files: number | null
}

const memory = z.object({ rss: z.number(), heapUsed: z.number() })
const counted = z.tuple([z.object({ count: z.number() })])
const mebibytes = (bytes: number) => bytes / 2 ** 20

async function sampleUntil(end: number, server: RestartableServer, place: Place, load: Load): Promise<Sample[]> {
  const began = performance.now()
  const watcher = 'url' in place ? new pg.Client({ connectionString: place.url, application_name: 'soak' }) : undefined
  await watcher?.connect()
  const samples: Sample[] = []
  try {
    while (performance.now() < end && load.errors.length < 100) {
      const isCollected = samples.length % COLLECT_EVERY === 0
      const latest = await sample(isCollected, (performance.now() - began) / 1000, server, watcher)
      samples.push(latest)
      if (isCollected) process.stderr.write(`${JSON.stringify({ ...latest, ...load.counts })}\n`)
      await after(SAMPLE_MS)
    }
  } finally {
    await watcher?.end()
  }
  return samples
}

async function sample(isCollected: boolean, seconds: number, server: RestartableServer, watcher: pg.Client | undefined): Promise<Sample> {
  const { rss, heapUsed } = memory.parse(await server.ask(isCollected ? 'collected' : 'as it is'))
  const connections = await watcher?.query(
    `SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND starts_with(application_name, 'assessment-gateway')`,
  )
  const files = `/proc/${server.pid ?? 0}/fd`
  return {
    seconds,
    rssMiB: mebibytes(rss),
    heapMiB: isCollected ? mebibytes(heapUsed) : null,
    connections: connections ? counted.parse(connections.rows)[0].count : null,
    files: existsSync(files) ? (await readdir(files)).length : null,
  }
}

/** The last two thirds. */
const settled = (samples: Sample[]) => samples.slice(Math.floor(samples.length / 3))

interface Line {
  mean: number
  perMinute: number
  /** From the first to the last point, as a part of the mean. */
  growth: number
}

/** The straight line through the points with the least squares. */
function lineThrough(points: { seconds: number; value: number }[]): Line {
  const count = points.length
  const meanOf = (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0) / Math.max(count, 1)
  const at = meanOf(points.map(({ seconds }) => seconds))
  const mean = meanOf(points.map(({ value }) => value))
  const spread = points.reduce((sum, { seconds }) => sum + (seconds - at) ** 2, 0)
  const slope = spread === 0 ? 0 : points.reduce((sum, { seconds, value }) => sum + (seconds - at) * (value - mean), 0) / spread
  const span = (points.at(-1)?.seconds ?? 0) - (points[0]?.seconds ?? 0)
  return { mean, perMinute: slope * 60, growth: (slope * span) / mean }
}

function linesOf(samples: Sample[]): { rss: Line; heap: Line } {
  const points = settled(samples)
  return {
    rss: lineThrough(points.map(({ seconds, rssMiB }) => ({ seconds, value: rssMiB }))),
    heap: lineThrough(points.flatMap(({ seconds, heapMiB }) => (heapMiB === null ? [] : [{ seconds, value: heapMiB }]))),
  }
}

function figuresOf(samples: Sample[]) {
  const { rss, heap } = linesOf(samples)
  const rounded = ({ mean, perMinute, growth }: Line) => ({
    meanMiB: Number(mean.toFixed(1)),
    MiBPerMinute: Number(perMinute.toFixed(2)),
    growthPercent: Number((growth * 100).toFixed(1)),
  })
  const range = (numbers: (number | null)[]) => {
    const known = numbers.filter((number) => number !== null)
    return known.length === 0 ? null : { min: Math.min(...known), max: Math.max(...known) }
  }
  const points = settled(samples)
  return {
    rss: rounded(rss),
    peakRssMiB: Math.round(Math.max(...samples.map(({ rssMiB }) => rssMiB))),
    heapAfterCollection: rounded(heap),
    connections: range(points.map(({ connections }) => connections)),
    files: range(points.map(({ files }) => files)),
  }
}

/** What is not flat, in sentences. */
function failuresOf(samples: Sample[]): string[] {
  const { rss, heap } = linesOf(samples)
  const percent = (part: number) => `${(part * 100).toFixed(1)} %`
  const connections = Math.max(...samples.map((sample) => sample.connections ?? 0))
  return [
    ...(heap.growth > HEAP_GROWTH ? [`the heap grew by ${percent(heap.growth)} of its mean; ${percent(HEAP_GROWTH)} are allowed`] : []),
    ...(rss.growth > RSS_GROWTH ? [`resident memory grew by ${percent(rss.growth)} of its mean; ${percent(RSS_GROWTH)} are allowed`] : []),
    ...(connections > CONNECTIONS ? [`the server had ${connections} connections; it may have ${CONNECTIONS}`] : []),
  ]
}

/* ---- the run ------------------------------------------------------------------------------------- */

const databaseServer = process.env['DATABASE_URL']
if (databaseServer) {
  const { url, drop } = await makeDatabase(databaseServer, `soak_${randomBytes(6).toString('hex')}`)
  await soak({ url }).finally(drop)
} else {
  const directory = await mkdtemp(join(tmpdir(), 'soak-'))
  await soak({ directory }).finally(() => rm(directory, { recursive: true }))
}
