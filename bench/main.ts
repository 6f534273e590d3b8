// Builds the data, starts the servers, checks that they agree, measures them in turns and writes
// results.json, results.md and results.svg.
import { loadavg } from 'node:os'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { type Beside, measureBeside } from './beside.js'
import { postgresVersion, preparePostgres, prepareEmbedded, type Row, vacuum } from './data.js'
import { closedLoop, Connections, fixedRate, peakMemory, type Throughput } from './measure.js'
import { measureRefresh, w8 } from './refresh/measure.js'
import type { Figures, Steadiness } from './figures.js'
import { writeReport } from './report.js'
import { kinds, type Place, type RunningServer, start } from './servers.js'
import { startCounter } from './statements.js'
import { median, quantile } from './statistics.js'
import type { Workload } from './workload.js'
import { workloads } from './workloads/index.js'
import { w7 } from './workloads/w7.js'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    warmup: { type: 'string', default: '5' },
    workloads: { type: 'string', default: [...workloads, w7, w8].map(({ name }) => name).join() },
    servers: { type: 'string', default: kinds.map(({ name }) => name).join() },
    assessments: { type: 'string', default: '10000' },
    database: { type: 'string', default: 'assessment_gateway_bench' },
    reuse: { type: 'boolean', default: false },
    output: { type: 'string', default: new URL('.', import.meta.url).pathname },
  },
})
const seconds = Number(options.seconds)
const rounds = Number(options.rounds)
/** How much two runs of the raw server around a round may differ. */
const STEADY = 0.15
/** How many rounds of one workload are repeated at most. */
const REPEATS = 3

const names = options.workloads.split(',')
const chosenWorkloads = workloads.filter(({ name }) => names.includes(name))
const isBesideChosen = names.includes(w7.name)
// W8 has data and servers of its own.
const isDataNeeded = isBesideChosen || chosenWorkloads.length > 0
const chosenKinds = isDataNeeded ? kinds.filter(({ name }) => name === 'raw' || options.servers.split(',').includes(name)) : []

const databaseUrl = process.env['DATABASE_URL']
if (!databaseUrl) throw new Error('DATABASE_URL names the PostgreSQL to work on.')

const [busy = 0] = loadavg()
const postgres = await postgresVersion(databaseUrl)
const refresh = names.includes(w8.name) ? await measureRefresh(databaseUrl, Number(options.assessments), rounds, say) : null
if (isDataNeeded) say('data')
const data = isDataNeeded ? await preparePostgres(databaseUrl, options.database, options.reuse) : null
const places = new Map<boolean, Place>()
if (data) places.set(false, { rows: data.rows, env: { DATABASE_URL: data.url } })
if (chosenKinds.some(({ embedded }) => embedded)) {
  const embedded = await prepareEmbedded(options.reuse)
  places.set(true, { rows: embedded.rows, env: { DATA_DIR: embedded.directory } })
}

const statements = data ? await countStatements(data) : new Map<string, number>()
const servers: RunningServer[] = []
const figures: Figures[] = []
const steadinesses = new Map<string, Steadiness>()
const beside: Beside[] = []
try {
  for (const kind of chosenKinds) servers.push(await start(kind, placeOf(kind.embedded)))
  for (const workload of chosenWorkloads) await checkAgreement(workload)
  if (isBesideChosen) beside.push(...(await measureBeside(servers, rounds, seconds, say)))
  await report()
  for (const workload of chosenWorkloads) {
    const { all, ...steadiness } = await measure(workload)
    figures.push(...all)
    steadinesses.set(workload.name, steadiness)
    if (data) await vacuum(data.url)
    // After each workload, so that a run that is ended early leaves what it has measured.
    await report()
  }
} finally {
  await Promise.all(servers.map((server) => server.stop()))
}

function report(): Promise<void> {
  return writeReport(options.output, {
    rounds,
    seconds,
    busy,
    postgres,
    workloads: chosenWorkloads.flatMap(({ name, title }) => {
      const steadiness = steadinesses.get(name)
      return steadiness ? [{ name, title, ...steadiness }] : []
    }),
    servers: servers.map(({ name, title, pid }) => ({ name, title, peakMemory: peakMemory(pid) })),
    figures,
    beside,
    refresh,
  })
}

function placeOf(embedded = false): Place {
  const place = places.get(embedded)
  if (!place) throw new Error('There is no such database.')
  return place
}

/** How many statements a request of each workload takes, apart from the measurement, as counting costs time. */
async function countStatements({ url, rows }: { url: string; rows: Row[] }): Promise<Map<string, number>> {
  const requests = 20
  const counts = new Map<string, number>()
  for (const kind of chosenKinds.filter(({ embedded }) => !embedded)) {
    const counter = await startCounter(url)
    const server = await start(kind, { rows, env: { DATABASE_URL: counter.url } })
    try {
      const connections = new Connections(server, 1)
      for (const workload of chosenWorkloads.filter(({ has }) => has?.(server) ?? true)) {
        const load = await workload.prepare(server, (body) => connections.send(0, body))
        await connections.exchange(0, load.next(0))
        const before = counter.statements
        for (let sent = 0; sent < requests; sent += 1) await connections.exchange(0, load.next(0))
        counts.set(`${server.name} ${workload.name}`, (counter.statements - before) / requests)
      }
      await connections.close()
    } finally {
      await server.stop()
      counter.close()
    }
  }
  return counts
}

/** @throws Error when a server answers otherwise than raw. */
async function checkAgreement(workload: Workload): Promise<void> {
  let expected: unknown
  for (const server of serversOf(workload)) {
    const connections = new Connections(server, 1)
    const send = (body: string) => connections.send(0, body)
    const answer = await (await workload.prepare(server, send)).samples()
    await connections.close()
    expected ??= answer
    if (!isDeepStrictEqual(answer, expected)) {
      throw new Error(`${workload.name}: ${server.name} answers\n${excerpt(answer)}\nand not\n${excerpt(expected)}`)
    }
  }
  say(`${workload.name}: ${serversOf(workload).length} servers agree`)
}

function excerpt(answer: unknown): string {
  return JSON.stringify(answer).slice(0, 3000)
}

function serversOf({ has }: Workload): RunningServer[] {
  return servers.filter((server) => has?.(server) ?? true)
}

/** Runs the rounds of a workload. A round in which the machine was not steady is measured again. */
async function measure(workload: Workload): Promise<{ all: Figures[] } & Steadiness> {
  const runners = await Promise.all(
    serversOf(workload).map(async (server) => {
      const connections = new Connections(server, workload.connections)
      const load = await workload.prepare(server, (body) => connections.send(0, body))
      const figures: Figures = {
        server: server.name,
        workload: workload.name,
        perSecond: [],
        ratios: [],
        cpuMicroseconds: [],
        statements: statements.get(`${server.name} ${workload.name}`) ?? null,
        latencies: null,
      }
      return { connections, load, figures }
    }),
  )
  const [raw, ...others] = runners
  if (!raw) throw new Error('Raw is always among the servers.')
  for (const { connections, load } of runners) await closedLoop(connections, load, Number(options.warmup))
  let repeated = 0
  let unsteady = 0
  for (let round = 0; round < rounds; ) {
    const before = await closedLoop(raw.connections, raw.load, seconds)
    const taken: Throughput[] = []
    for (const { connections, load } of others) taken.push(await closedLoop(connections, load, seconds))
    const after = await closedLoop(raw.connections, raw.load, seconds)
    const steady = Math.abs(before.perSecond - after.perSecond) <= STEADY * Math.max(before.perSecond, after.perSecond)
    if (!steady && repeated < REPEATS) {
      repeated += 1
      continue
    }
    if (!steady) unsteady += 1
    round += 1
    const limit = (before.perSecond + after.perSecond) / 2
    record(raw.figures, { perSecond: limit, cpuMicroseconds: (before.cpuMicroseconds + after.cpuMicroseconds) / 2 }, limit)
    others.forEach(({ figures }, index) => {
      const throughput = taken[index]
      if (throughput) record(figures, throughput, limit)
    })
    say(`${workload.name} round ${round}: ${runners.map(({ figures }) => `${figures.server} ${Math.round(figures.perSecond.at(-1) ?? 0)}/s`).join(', ')}`)
  }
  // One rate for all, at which even the slowest has half of its time to spare.
  const rate = Math.min(...runners.map(({ figures }) => median(figures.perSecond))) / 2
  for (const { connections, load, figures } of runners) {
    const latencies = await fixedRate(connections, load, rate, seconds * 2)
    figures.latencies = { rate, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) }
    await connections.close()
  }
  return { all: runners.map(({ figures }) => figures), repeated, unsteady }
}

function record(figures: Figures, { perSecond, cpuMicroseconds }: Throughput, limit: number): void {
  figures.perSecond.push(perSecond)
  figures.ratios.push(perSecond / limit)
  figures.cpuMicroseconds.push(cpuMicroseconds)
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
