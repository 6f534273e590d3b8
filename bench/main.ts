// Builds the data, starts the servers, checks that they agree, measures them in turns and writes
// results.json, results.md and results.svg.
import { loadavg } from 'node:os'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { preparePostgres, prepareEmbedded, vacuum } from './data.js'
import { closedLoop, Connections, fixedRate, peakMemory, type Throughput } from './measure.js'
import { type Beside, type Figures, type Steadiness, writeReport } from './report.js'
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
    workloads: { type: 'string', default: [...workloads, w7].map(({ name }) => name).join() },
    servers: { type: 'string', default: kinds.map(({ name }) => name).join() },
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

const chosenKinds = kinds.filter(({ name }) => name === 'raw' || options.servers.split(',').includes(name))
const chosenWorkloads = workloads.filter(({ name }) => options.workloads.split(',').includes(name))

const databaseUrl = process.env['DATABASE_URL']
if (!databaseUrl) throw new Error('DATABASE_URL names the PostgreSQL to work on.')

const [busy = 0] = loadavg()
say('data')
const { url, rows, version: postgres } = await preparePostgres(databaseUrl, options.database, options.reuse)
const places = new Map<boolean, Place>([[false, { rows, env: { DATABASE_URL: url } }]])
if (chosenKinds.some(({ embedded }) => embedded)) {
  const embedded = await prepareEmbedded(options.reuse)
  places.set(true, { rows: embedded.rows, env: { DATA_DIR: embedded.directory } })
}

const statements = await countStatements()
const servers: RunningServer[] = []
const figures: Figures[] = []
const steadinesses = new Map<string, Steadiness>()
const beside: Beside[] = []
try {
  for (const kind of chosenKinds) servers.push(await start(kind, placeOf(kind.embedded)))
  for (const workload of chosenWorkloads) await checkAgreement(workload)
  if (options.workloads.split(',').includes(w7.name)) {
    beside.push(...(await measureBeside()))
    await report()
  }
  for (const workload of chosenWorkloads) {
    const { all, ...steadiness } = await measure(workload)
    figures.push(...all)
    steadinesses.set(workload.name, steadiness)
    await vacuum(url)
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
  })
}

function placeOf(embedded = false): Place {
  const place = places.get(embedded)
  if (!place) throw new Error('There is no such database.')
  return place
}

/** How many statements a request of each workload takes, apart from the measurement, as counting costs time. */
async function countStatements(): Promise<Map<string, number>> {
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

/** What a heavy query of one client does to everybody else's small ones. */
async function measureBeside(): Promise<Beside[]> {
  const { small, heavy, rate } = w7
  const runners = await Promise.all(
    servers.map(async (server) => {
      const smallOnes = new Connections(server, small.connections)
      const heavyOne = new Connections(server, 1)
      const smallLoad = await small.prepare(server, (body) => smallOnes.send(0, body))
      const heavyLoad = await heavy.prepare(server, (body) => heavyOne.send(0, body))
      return { server, smallOnes, heavyOne, smallLoad, heavyLoad, latencies: noNumbers(), heavyPerSecond: noNumbers() }
    }),
  )
  // The first round warms up and is not kept.
  for (let round = 0; round <= rounds; round += 1) {
    for (const { smallOnes, heavyOne, smallLoad, heavyLoad, latencies, heavyPerSecond } of runners) {
      const [taken, { perSecond }] = await Promise.all([
        fixedRate(smallOnes, smallLoad, rate, seconds),
        closedLoop(heavyOne, heavyLoad, seconds),
      ])
      if (round > 0) {
        latencies.push(...taken)
        heavyPerSecond.push(perSecond)
      }
    }
  }
  say(`${w7.name}: ${runners.map(({ server, latencies }) => `${server.name} ${quantile(latencies, 0.99).toFixed(1)} ms`).join(', ')}`)
  return Promise.all(
    runners.map(async ({ server, smallOnes, heavyOne, latencies, heavyPerSecond }) => {
      await smallOnes.close()
      await heavyOne.close()
      return { server: server.name, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99), heavyPerSecond: median(heavyPerSecond) }
    }),
  )
}

function noNumbers(): number[] {
  return []
}

function record(figures: Figures, { perSecond, cpuMicroseconds }: Throughput, limit: number): void {
  figures.perSecond.push(perSecond)
  figures.ratios.push(perSecond / limit)
  figures.cpuMicroseconds.push(cpuMicroseconds)
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
