// What a second gateway process on the same database adds.
import { closedLoop, Connections } from '../measure.js'
import { ours, type Place, type RunningServer, start } from '../servers.js'
import { w1 } from '../workloads/w1.js'
import type { Duration } from './sizes.js'

/** Requests a second of W1, one figure a round. */
export interface PairFigures {
  one: number[]
  two: number[]
}

/** Both have the same number of connections in all, and take turns. */
export async function measurePair(place: Place, { rounds, seconds, warmup }: Duration, say: (line: string) => void): Promise<PairFigures> {
  const servers: RunningServer[] = []
  try {
    servers.push(await start(ours, place), await start(ours, place))
    await perSecondOf(servers, warmup)
    const figures: PairFigures = { one: [], two: [] }
    for (let round = 1; round <= rounds; round += 1) {
      figures.one.push(await perSecondOf(servers.slice(0, 1), seconds))
      figures.two.push(await perSecondOf(servers, seconds))
      say(`pair round ${round}: one ${Math.round(figures.one.at(-1) ?? 0)}/s, two ${Math.round(figures.two.at(-1) ?? 0)}/s`)
    }
    return figures
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
}

/** Of all servers together, at the same time. */
async function perSecondOf(servers: RunningServer[], seconds: number): Promise<number> {
  const perSecond = await Promise.all(
    servers.map(async (server) => {
      const connections = new Connections(server, w1.connections / servers.length)
      const load = await w1.prepare(server, (body) => connections.send(0, body))
      const throughput = await closedLoop(connections, load, seconds)
      await connections.close()
      return throughput.perSecond
    }),
  )
  return perSecond.reduce((sum, each) => sum + each, 0)
}
