// Clients that read and write a few rows together, without a pause, and write down what they see.
import type { FinalRow, HistoryEvent, Observation, Outcome } from './history.js'
import { pick, randomFrom } from './random.js'
import type { RestartableServer } from './server.js'

/** A server with rows to write, and what a check needs to know of the database behind it. */
export interface Target {
  rows: readonly string[]
  server: RestartableServer
  database: {
    url: string
    /** What the names of the server's connections begin with. */
    application: string
    /** Into which every write inserts, as SQL names it. */
    revisions: string
    /** Which the writes update, as SQL names them. */
    tables: readonly string[]
    /**
     * Rows that one transaction of the server locks in the order of their ids: the first and the
     * last one are written by no client. `lockedBy` is a part of the statement that locks them.
     */
    batch?: { table: string; first: string; last: string; lockedBy: string }
  }
  /** Whom a revision names for the writes of a client. */
  actorOf(client: number): string
  write(client: number, row: string, expectedVersion: number | null, value: number): Promise<Outcome>
  /** Undefined: no answer, or none that tells. */
  read(client: number, row: string): Promise<Observation | undefined>
  /** A client that writes what no history holds, until the clients stop. */
  background?: { actor: string; run(clients: Clients): Promise<void> }
  /** What the database holds by now, all from one moment. */
  finals(): Promise<FinalRow[]>
  close(): Promise<void>
}

/** No fault may keep every client from going on for longer than this. */
const PATIENCE_MS = 60_000

export class Clients {
  readonly events: HistoryEvent[] = []
  /** Of writes, and of reads with an answer and without one. */
  readonly counts = { acknowledged: 0, conflicts: 0, failed: 0, unknown: 0, reads: 0, failedReads: 0 }
  readonly #target: Target
  readonly #running: Promise<unknown>
  readonly #stop = new AbortController()
  readonly #waiting = new Set<() => void>()
  #held: Promise<void> | undefined
  #lastValue = 0
  #failure: unknown

  constructor(target: Target, count: number, seed: number) {
    this.#target = target
    const clients = Array.from({ length: count }, (_, client) => this.#run(client, randomFrom(seed + client)))
    const background = target.background?.run(this)
    this.#running = Promise.all([...clients, background]).catch((error: unknown) => {
      this.#failure = error
      this.#wake()
    })
  }

  get stopped(): boolean {
    return this.#stop.signal.aborted || this.#failure !== undefined
  }

  /** Resolves once `condition` holds, which every answer may bring about, or all is over. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS
    while (!condition() && !this.#stop.signal.aborted) {
      if (this.#failure !== undefined) throw new Error('A client got an answer that nothing explains.', { cause: this.#failure })
      if (performance.now() >= deadline) {
        const { counts } = this
        throw new Error(`${what} did not come within ${PATIENCE_MS / 1000} s: ${JSON.stringify(counts)}\n${this.#target.server.log.slice(-2_000)}`)
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deadline - performance.now())
        this.#waiting.add(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  /** Lets so many writes more be acknowledged. */
  async progress(writes: number, after: string): Promise<void> {
    const enough = this.counts.acknowledged + writes
    await this.until(() => this.counts.acknowledged >= enough, `${writes} acknowledged writes ${after}`)
  }

  /** While `work` is under way, a client that gets no answer waits for its end instead of trying again and again. */
  async holding<Result>(work: () => Promise<Result>): Promise<Result> {
    let release = () => {}
    this.#held = new Promise((resolve) => (release = resolve))
    return work().finally(() => {
      this.#held = undefined
      release()
    })
  }

  /** Ends every client with the answer that it waits for. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.#wake()
    await this.#running
    if (this.#failure !== undefined) throw new Error('A client got an answer that nothing explains.', { cause: this.#failure })
  }

  async #run(client: number, random: () => number): Promise<void> {
    /** What this client takes for the versions of rows; others write meanwhile. */
    const known = new Map<string, number>()
    while (!this.stopped) {
      const row = pick(random, this.#target.rows)
      if (!known.has(row) || random() < 0.7) {
        const seen = await this.#read(client, row)
        if (seen) known.set(row, seen.version)
        else await this.#held
      }
      const expected = random() < 0.1 ? null : known.get(row)
      if (expected === undefined) continue
      const outcome = await this.#write(client, row, expected)
      if (outcome.is === 'acknowledged') known.set(row, outcome.version)
      else if (outcome.is === 'conflict') known.set(row, outcome.current.version)
      else {
        known.delete(row)
        await this.#held
      }
    }
  }

  async #read(client: number, row: string): Promise<Observation | undefined> {
    const began = performance.now()
    const seen = await this.#target.read(client, row)
    if (seen) this.events.push({ kind: 'read', row, began, ended: performance.now(), seen })
    this.counts[seen ? 'reads' : 'failedReads'] += 1
    this.#wake()
    return seen
  }

  async #write(client: number, row: string, expectedVersion: number | null): Promise<Outcome> {
    const value = (this.#lastValue += 1)
    const began = performance.now()
    const outcome = await this.#target.write(client, row, expectedVersion, value)
    const actor = this.#target.actorOf(client)
    this.events.push({ kind: 'write', row, actor, value, expectedVersion, began, ended: performance.now(), outcome })
    this.counts[outcome.is === 'conflict' ? 'conflicts' : outcome.is] += 1
    this.#wake()
    return outcome
  }

  #wake(): void {
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }
}
