import { type Chosen, placesOf } from './arguments.js'
import { type Kind, leavesOf, partsOf, type Plan, type Size, waysFrom, written } from './documents.js'
import { type Answer, type AttackedGateway, costTold, type Usage } from './gateway.js'
import type { World } from './world.js'

/** A document that the gateway accepts, and what it used when it was executed alone. */
export interface Dear {
  plan: Plan
  size: Size
  cost: number
  bytes: number
  ms: number
  usage: Usage
}

const SMALL: Size = { page: 10, leaves: 1, lists: 1, roots: 1 }
/** What is made larger first. Each way to fill a document up to the limits leads to another one. */
const ORDERS: (keyof Size)[][] = [
  ['page', 'leaves', 'lists', 'roots'],
  ['page', 'roots', 'lists', 'leaves'],
]
const MAXIMUM: Size = { page: 100, leaves: 50, lists: 50, roots: 50 }
/** By what documents are compared: each may be what hurts. */
const MEASURES: ((it: Dear) => number)[] = [({ usage }) => usage.cpuMs, ({ ms }) => ms, ({ bytes }) => bytes]
/** What takes so many milliseconds by itself is not repeated in one operation: the refreshes of a mutation follow each other, and each is the same. */
const LONG_ENOUGH_MS = 1_000
/** How many ways are followed that are dearest by each measure. */
const FOLLOWED = 2
/** How much longer something must take to be chosen instead of what is plainer. */
const WORTH = 1.2

/** Finds the dearest documents of one kind that the gateway accepts: one for each measure, or fewer if they are the same. */
export class Search {
  constructor(
    private readonly gateway: AttackedGateway,
    private readonly world: World,
  ) {}

  async dearest(kind: Kind): Promise<Dear[]> {
    const chosen = await this.#dearestArguments(kind)
    const ways = waysFrom(kind).map((way): Plan => ({ kind, chosen, way, leaves: leavesOf(way) }))
    const followed = dearestOf(await this.#tryAll(ways, SMALL), FOLLOWED, perCost)
    const byLeaf = followed.flatMap(({ plan }) => plan.leaves.map((leaf): Plan => ({ ...plan, leaves: [leaf] })))
    const promising = dearestOf([...followed, ...(await this.#tryAll(byLeaf, { ...SMALL, leaves: 5 }))], FOLLOWED, perCost)
    const filled: Dear[] = []
    for (const { plan, ms } of promising) {
      for (const order of ORDERS) {
        const size = await this.#fill(plan, ms < LONG_ENOUGH_MS ? order : order.filter((part) => part !== 'roots'))
        const dear = size && (await this.#try(plan, size))
        if (dear) filled.push(dear)
      }
    }
    return dearestOf(filled, 1, (it) => it)
  }

  /** Chooses one argument after the other, by how long the plainest documents with it take. */
  async #dearestArguments(kind: Kind): Promise<Chosen> {
    const places = placesOf(kind.field, this.world.attacker.names)
    let chosen: Chosen = places.flatMap(({ path, isRequired, choices: [plainest] }) => (isRequired && plainest ? [{ path, choice: plainest }] : []))
    const ways = waysFrom(kind)
    const way = ways.find(({ steps }) => steps.at(-1)?.field.name === 'nodes') ?? ways[0]
    if (!way) return chosen
    const msOf = async (tried: Chosen) => (await this.#try({ kind, chosen: tried, way, leaves: leavesOf(way) }, SMALL))?.ms
    let least = (await msOf(chosen)) ?? 0
    for (const { path, choices } of places) {
      const others = chosen.filter((it) => it.path.join('.') !== path.join('.'))
      for (const choice of choices) {
        const tried = [...others, { path, choice }]
        const ms = await msOf(tried)
        if (ms === undefined || ms < least * WORTH) continue
        least = ms
        chosen = tried
      }
    }
    return chosen
  }

  async #tryAll(plans: Plan[], size: Size): Promise<Dear[]> {
    const tried: Dear[] = []
    for (const plan of plans) {
      const dear = await this.#try(plan, size)
      if (dear) tried.push(dear)
    }
    return tried
  }

  /** Executes it twice and measures the second time: what is made once for each document is not looked for here. */
  async #try(plan: Plan, size: Size): Promise<Dear | undefined> {
    const document = written(plan, size)
    const first = await this.gateway.send(this.world.attacker.key, document)
    if (isRefused(first) || first.text.includes('"__typename":"ValidationError"')) return undefined
    const { result, usage } = await this.gateway.using(() => this.gateway.send(this.world.attacker.key, document))
    return { plan, size, usage, cost: costTold(result), bytes: result.bytes, ms: result.ms }
  }

  /** The largest size that is accepted, when each part of it is made as large as it can be, in this order. */
  async #fill(plan: Plan, order: (keyof Size)[]): Promise<Size | undefined> {
    let size: Size = { page: 1, leaves: 1, lists: 1, roots: 1 }
    const fits = async (tried: Size) => !isRefused(await this.gateway.send(this.world.attacker.key, written(plan, tried, false)))
    if (!(await fits(size))) return undefined
    for (const part of order.filter((it) => partsOf(plan).includes(it))) {
      let [fitting, tooLarge] = [1, MAXIMUM[part] + 1]
      while (tooLarge - fitting > 1) {
        const middle = tooLarge === MAXIMUM[part] + 1 && fitting === 1 ? MAXIMUM[part] : Math.floor((fitting + tooLarge) / 2)
        if (await fits({ ...size, [part]: middle })) fitting = middle
        else tooLarge = middle
      }
      size = { ...size, [part]: fitting }
    }
    return size
  }
}

/** Whether it was refused before anything of it was done. Who reads too many bytes or too long lists is refused after that. */
function isRefused(answer: Answer): boolean {
  return answer.status >= 400 && answer.status < 500 && !/"limit":"bytes"|With the lists inside of its rows/.test(answer.text)
}

/** The dearest by each measure, each once. */
function dearestOf(all: Dear[], count: number, judged: (it: Dear) => Dear): Dear[] {
  const best = MEASURES.flatMap((measure) => all.toSorted((a, b) => measure(judged(b)) - measure(judged(a))).slice(0, count))
  return [...new Map(best.map((it) => [JSON.stringify(written(it.plan, it.size)), it])).values()]
}

/** What one could have of it for the same cost. */
function perCost(it: Dear): Dear {
  const each = (amount: number) => amount / Math.max(it.cost, 1)
  return { ...it, bytes: each(it.bytes), ms: each(it.ms), usage: { ...it.usage, cpuMs: each(it.usage.cpuMs) } }
}
