// W7: what a heavy query of one client does to everybody else's small ones.
import { closedLoop, Connections, fixedRate } from './measure.js'
import type { RunningServer } from './servers.js'
import { median, quantile } from './statistics.js'
import { w7 } from './workloads/w7.js'

/** Small requests while a heavy one is always under way. */
export interface Beside {
  server: string
  /** Milliseconds of a small one. */
  p50: number
  p99: number
  heavyPerSecond: number
}

/** @param seconds of each run */
export async function measureBeside(servers: RunningServer[], rounds: number, seconds: number, say: (line: string) => void): Promise<Beside[]> {
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
