// How the gateway does when its data grows, when documents never come twice, and when a second
// process runs beside it. Writes growth.md.
import { writeFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { dropPostgres, postgresVersion, preparePostgres } from './data.js'
import { measureMemory } from './growth/memory.js'
import { measurePair } from './growth/pair.js'
import { type Growth, growthReport } from './growth/report.js'
import { measureSizes } from './growth/sizes.js'
import { ours, type Place, type RunningServer, start } from './servers.js'

const { values: options } = parseArgs({
  options: {
    base: { type: 'string', default: '2000' },
    sizes: { type: 'string', default: '1,10,50' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    warmup: { type: 'string', default: '5' },
    'memory-minutes': { type: 'string', default: '10' },
    'no-pair': { type: 'boolean', default: false },
    reuse: { type: 'boolean', default: false },
    output: { type: 'string', default: new URL('.', import.meta.url).pathname },
  },
})
const duration = { rounds: Number(options.rounds), seconds: Number(options.seconds), warmup: Number(options.warmup) }
/** How many assessments each database has. */
const counts = options.sizes.split(',').map((size) => Number(size) * Number(options.base))
const nameOf = (assessments: number) => `assessment_gateway_bench_growth_${assessments}`

const databaseUrl = process.env['DATABASE_URL']
if (!databaseUrl) throw new Error('DATABASE_URL names the PostgreSQL to work on.')

const [busy = 0] = loadavg()
try {
  const places: Place[] = []
  for (const assessments of counts) {
    say(`data: ${assessments} assessments`)
    const { url, rows } = await preparePostgres(databaseUrl, nameOf(assessments), options.reuse, assessments)
    places.push({ rows, env: { DATABASE_URL: url } })
  }
  const [first] = places
  if (!first) throw new Error('There must be a size.')

  const growth: Growth = { duration, busy, postgres: await postgresVersion(databaseUrl), workloads: [], assessments: first.rows.length, memory: [], pair: null }
  // After each part, so that a run that is ended early leaves what it has measured.
  const report = () => writeFile(join(options.output, 'growth.md'), growthReport(growth))
  const servers: RunningServer[] = []
  try {
    for (const place of places) servers.push(await start(ours, place))
    growth.workloads = await measureSizes(servers, duration, say)
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
  await report()
  if (!options['no-pair']) growth.pair = await measurePair(first, duration, say)
  await report()
  const minutes = Number(options['memory-minutes'])
  if (minutes > 0) growth.memory = await measureMemory(first, minutes, say)
  await report()
} finally {
  // They are large: those of a run with --reuse stay for the next one.
  if (!options.reuse) await dropPostgres(databaseUrl, counts.map(nameOf))
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
