// Whether the gateway's memory grows while no document is ever sent twice, so that whatever it keeps
// of a document must be given up again.
import { closedLoop, Connections } from '../measure.js'
import { oursProbed, type Place, start } from '../servers.js'
import { w6 } from '../workloads/w6.js'

export interface MemorySample {
  /** Since the load began. */
  seconds: number
  /** Answered so far. */
  requests: number
  /** Resident memory of the gateway's process, in MiB. */
  resident: number
  /** What of the heap is in use, in MiB. */
  heap: number
  /** The same after a collection; only some samples have one, as it gives up more than a gateway by itself. */
  collected: number | null
}

/** Seconds. */
const BETWEEN_SAMPLES = 30
const COLLECT_EVERY = 4

export async function measureMemory(place: Place, minutes: number, say: (line: string) => void): Promise<MemorySample[]> {
  const gateway = await start(oursProbed, place)
  try {
    const connections = new Connections(gateway, w6.connections)
    const load = await w6.prepare(gateway, (body) => connections.send(0, body))
    const samples: MemorySample[] = []
    const count = Math.ceil((minutes * 60) / BETWEEN_SAMPLES)
    for (let seconds = 0, requests = 0, taken = 1; taken <= count; taken += 1) {
      const left = Math.min(BETWEEN_SAMPLES, minutes * 60 - seconds)
      const { perSecond } = await closedLoop(connections, load, left)
      seconds += left
      requests += Math.round(perSecond * left)
      const { rss, heapUsed } = await gateway.memory(false)
      const isCollected = taken % COLLECT_EVERY === 0 || taken === count
      const collected = isCollected ? mebibytes((await gateway.memory(true)).heapUsed) : null
      samples.push({ seconds, requests, resident: mebibytes(rss), heap: mebibytes(heapUsed), collected })
      say(`memory after ${seconds} s: ${mebibytes(rss).toFixed(0)} MiB`)
    }
    await connections.close()
    return samples
  } finally {
    await gateway.stop()
  }
}

function mebibytes(bytes: number): number {
  return bytes / 2 ** 20
}
