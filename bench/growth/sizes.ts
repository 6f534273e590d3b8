// What a request costs the gateway when there is more data: W1 to W4 on databases of several sizes.
import { closedLoop, Connections, fixedRate } from '../measure.js'
import type { RunningServer } from '../servers.js'
import { median, quantile } from '../statistics.js'
import type { Workload } from '../workload.js'
import { w1 } from '../workloads/w1.js'
import { w2 } from '../workloads/w2.js'
import { list, w3a } from '../workloads/w3.js'
import { w4 } from '../workloads/w4.js'

/** Of one workload on one size; lists have one figure a round. */
export interface SizeFigures {
  assessments: number
  /** Requests a second. */
  perSecond: number[]
  /** Processor time of the server's process a request. */
  cpuMicroseconds: number[]
  /** Milliseconds at the steady rate. */
  p50: number
}

export interface WorkloadGrowth {
  name: string
  title: string
  connections: number
  /** Requests a second, of which p50 is. */
  rate: number
  sizes: SizeFigures[]
}

export interface Duration {
  rounds: number
  /** Seconds of each run. */
  seconds: number
  /** Seconds before the first round. */
  warmup: number
}

/** Where 5,000 rows deep is depends on the size, so that the page is half way down each list instead. */
const w3b = list('W3b', 'The same behind a cursor half way down the list', ({ length }) => length / 4)

/** Writes come last, as they leave dead rows behind. */
const growing: Workload[] = [w1, w2, w3a, w3b, w4]

/** @param servers one for each size, which take turns in every round */
export async function measureSizes(servers: RunningServer[], duration: Duration, say: (line: string) => void): Promise<WorkloadGrowth[]> {
  const all: WorkloadGrowth[] = []
  for (const workload of growing) all.push(await measure(workload, servers, duration, say))
  return all
}

async function measure(workload: Workload, servers: RunningServer[], duration: Duration, say: (line: string) => void): Promise<WorkloadGrowth> {
  const { name, title, connections: size } = workload
  const runners = await Promise.all(
    servers.map(async (server) => {
      const connections = new Connections(server, size)
      const load = await workload.prepare(server, (body) => connections.send(0, body))
      const figures: SizeFigures = { assessments: server.rows.length, perSecond: [], cpuMicroseconds: [], p50: NaN }
      return { connections, load, figures }
    }),
  )
  for (const { connections, load } of runners) await closedLoop(connections, load, duration.warmup)
  for (let round = 1; round <= duration.rounds; round += 1) {
    for (const { connections, load, figures } of runners) {
      const { perSecond, cpuMicroseconds } = await closedLoop(connections, load, duration.seconds)
      figures.perSecond.push(perSecond)
      figures.cpuMicroseconds.push(cpuMicroseconds)
    }
    say(`${name} round ${round}: ${runners.map(({ figures }) => `${figures.assessments} ${Math.round(figures.perSecond.at(-1) ?? 0)}/s`).join(', ')}`)
  }
  // One rate for all, at which even the slowest has half of its time to spare.
  const rate = Math.min(...runners.map(({ figures }) => median(figures.perSecond))) / 2
  for (const { connections, load, figures } of runners) {
    figures.p50 = quantile(await fixedRate(connections, load, rate, duration.seconds * 2), 0.5)
    await connections.close()
  }
  return { name, title, connections: size, rate, sizes: runners.map(({ figures }) => figures) }
}
