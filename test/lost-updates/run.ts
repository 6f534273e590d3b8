// One run: clients on a target, faults one after the other, and the verdict.
import { violationsOf, type Violation } from './checker.js'
import type { Cluster } from './cluster.js'
import { Clients, type Target } from './driver.js'
import { type Fault, faultsOf } from './faults.js'
import { pick, randomFrom, shuffled } from './random.js'

export interface RunOptions {
  clients: number
  /** Decides the order of the faults, how much is written between them, and what each client does. */
  seed: number
  /** Faults go on in rounds, each in an order of its own, until so long has passed; one round at least. */
  seconds: number
  /** The names of the faults; left out, all that can happen here. */
  only?: string[]
  cluster?: Cluster | undefined
  /** Told how long each fault took, and what was written since the one before. */
  onFault?: (line: string) => void
}

export interface Report {
  violations: Violation[]
  figures: Clients['counts'] & { seed: number; seconds: number; versions: number; faults: Record<string, number> }
}

export async function runOn(target: Target, { clients: count, seed, seconds, only, cluster, onFault }: RunOptions): Promise<Report> {
  const random = randomFrom(seed)
  const began = performance.now()
  const clients = new Clients(target, count, seed)
  const faults = faultsOf({ target, cluster })
  const chosen = [...faults].filter(([name]) => only?.includes(name) ?? true)
  const done: Record<string, number> = {}
  try {
    do {
      await clients.progress(40, 'before a round')
      for (const [name, inject] of shuffled(random, chosen)) {
        const from = performance.now()
        await injected(name, () => inject({ target, clients, cluster }))
        done[name] = (done[name] ?? 0) + 1
        onFault?.(`${((performance.now() - began) / 1000).toFixed(1)} s  ${name} took ${((performance.now() - from) / 1000).toFixed(1)} s  ${JSON.stringify(clients.counts)}`)
        await clients.progress(pick(random, [10, 20, 40]), `after ${name}`)
      }
    } while (performance.now() - began < seconds * 1000)
  } finally {
    await clients.stop()
  }
  const finals = await target.finals()
  const versions = finals.reduce((sum, { last }) => sum + last.version, 0)
  return {
    violations: violationsOf(clients.events, finals, new Set(target.background ? [target.background.actor] : [])),
    figures: { seed, seconds: Math.round((performance.now() - began) / 1000), ...clients.counts, versions, faults: done },
  }
}

async function injected(name: string, inject: () => ReturnType<Fault>): Promise<void> {
  try {
    await inject()
  } catch (cause) {
    throw new Error(`The fault ${name} could not be brought about.`, { cause })
  }
}
