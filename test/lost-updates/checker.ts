// Judges a history: whether every row went through its versions one write at a time, and every
// write that was acknowledged is one of them.
import type { FinalRow, HistoryEvent, Observation, WriteEvent } from './history.js'

export type Rule =
  | 'two values at one version'
  | 'one value at two versions'
  | 'a value that nobody wrote'
  | 'written over another version than the expected one'
  | 'refused but visible'
  | 'acknowledged but lost'
  | 'acknowledged with another value'
  | 'revisions are not the versions'
  | 'a revision that no write explains'
  | 'a conflict with the expected version itself'
  | 'went back in time'

export interface Violation {
  rule: Rule
  row: string
  /** The case, for people. */
  detail: string
}

/**
 * The violations in what clients have seen and the database holds in the end. `carriers` are
 * actors whose writes are not in the history: they raise a version and keep its value.
 */
export function violationsOf(events: HistoryEvent[], finals: FinalRow[], carriers: ReadonlySet<string> = new Set()): Violation[] {
  return finals.flatMap((final) => new RowChecker(events.filter(({ row }) => row === final.row), final, carriers).violations())
}

class RowChecker {
  readonly #found: Violation[] = []
  readonly #events: HistoryEvent[]
  readonly #writes: WriteEvent[]
  readonly #final: FinalRow
  readonly #carried: ReadonlySet<number>

  constructor(events: HistoryEvent[], final: FinalRow, carriers: ReadonlySet<string>) {
    this.#events = events
    this.#writes = events.filter((event) => event.kind === 'write')
    this.#final = final
    this.#carried = new Set(final.revisions.filter(({ actor }) => carriers.has(actor)).map(({ version }) => version))
  }

  violations(): Violation[] {
    this.#checkAnswers()
    this.#checkValues()
    this.#checkRevisions()
    this.#checkOrder()
    return this.#found
  }

  #report(rule: Rule, detail: string): void {
    this.#found.push({ rule, row: this.#final.row, detail })
  }

  /** What is wrong with an answer by itself. */
  #checkAnswers(): void {
    for (const { value, expectedVersion, outcome } of this.#writes) {
      if (outcome.is === 'acknowledged' && outcome.value !== value) {
        this.#report('acknowledged with another value', `${value} was answered by ${outcome.value} at version ${outcome.version}`)
      }
      if (outcome.is === 'conflict' && outcome.current.version === expectedVersion) {
        this.#report('a conflict with the expected version itself', `${value} expected version ${expectedVersion}`)
      }
    }
  }

  /** Every version that somebody saw has one value, which one write brought, over the version that it expected. */
  #checkValues(): void {
    const { first } = this.#final
    const valueAt = new Map<number, number | null>()
    const versionOf = new Map<number | null, number>()
    for (const seen of this.#observations()) {
      const version = this.#broughtAt(seen.version)
      const other = valueAt.get(version)
      if (other !== undefined && other !== seen.value) this.#report('two values at one version', `${other} and ${seen.value} at version ${version}`)
      const otherVersion = versionOf.get(seen.value)
      if (otherVersion !== undefined && otherVersion !== version) {
        this.#report('one value at two versions', `${seen.value} at versions ${otherVersion} and ${version}`)
      }
      valueAt.set(version, seen.value)
      versionOf.set(seen.value, version)
    }
    const writeOf = new Map(this.#writes.map((write) => [write.value, write]))
    for (const [value, version] of versionOf) {
      if (value === first.value && version === first.version) continue
      const write = value === null ? undefined : writeOf.get(value)
      if (!write) this.#report('a value that nobody wrote', `${value} at version ${version}`)
      else if (write.outcome.is === 'conflict' || write.outcome.is === 'failed') this.#report('refused but visible', `${value} at version ${version}`)
      else if (write.expectedVersion !== null && version !== write.expectedVersion + 1) {
        this.#report('written over another version than the expected one', `${value} at version ${version}, expecting ${write.expectedVersion}`)
      }
    }
  }

  /** Everything that somebody saw of the row. */
  #observations(): Observation[] {
    return [
      this.#final.first,
      ...this.#events.flatMap((event): Observation[] => {
        if (event.kind === 'read') return [event.seen]
        if (event.outcome.is === 'acknowledged') return [event.outcome]
        return event.outcome.is === 'conflict' ? [event.outcome.current] : []
      }),
      this.#final.last,
    ]
  }

  /** The version at which the value came that a version shows. */
  #broughtAt(version: number): number {
    let at = version
    while (this.#carried.has(at)) at -= 1
    return at
  }

  /** Every version has its revision, and every revision a write: acknowledged, or of unknown outcome. */
  #checkRevisions(): void {
    const { last, first, revisions } = this.#final
    const versions = revisions.map(({ version }) => version).sort((a, b) => a - b)
    if (versions.length !== last.version || versions.some((version, index) => version !== index + 1)) {
      this.#report('revisions are not the versions', `a row at version ${last.version} with the revisions ${summary(versions)}`)
    }
    const acknowledged = new Map<number, WriteEvent>()
    for (const write of this.#writes) {
      if (write.outcome.is !== 'acknowledged') continue
      const { version } = write.outcome
      acknowledged.set(version, write)
      if (last.version < version) this.#report('acknowledged but lost', `${write.value} at version ${version}; the row ends at ${last.version}`)
      if (!revisions.some((it) => it.version === version && it.actor === write.actor)) {
        this.#report('acknowledged but lost', `${write.value} at version ${version} has no revision by ${write.actor}`)
      }
    }
    const unknown = new Set(this.#writes.filter(({ outcome }) => outcome.is === 'unknown'))
    for (const { version, actor } of revisions) {
      if (version <= first.version || this.#carried.has(version) || acknowledged.get(version)?.actor === actor) continue
      const own = [...unknown].filter((write) => write.actor === actor)
      const explanation = own.find((it) => it.expectedVersion === version - 1) ?? own.find((it) => it.expectedVersion === null)
      if (explanation) unknown.delete(explanation)
      else this.#report('a revision that no write explains', `version ${version} by ${actor}`)
    }
  }

  /** What began after something had been seen shows that version or a later one. */
  #checkOrder(): void {
    const ended = this.#events
      .flatMap((event) => {
        const version = versionSeen(event)
        return version === undefined ? [] : [{ version, ended: event.ended }]
      })
      .sort((a, b) => a.ended - b.ended)
    let next = 0
    let newest = this.#final.first.version
    for (const event of [...this.#events].sort((a, b) => a.began - b.began)) {
      for (let it = ended[next]; it && it.ended < event.began; it = ended[++next]) newest = Math.max(newest, it.version)
      const version = versionSeen(event)
      if (version !== undefined && version < newest) this.#report('went back in time', `version ${version} was shown after ${newest}`)
    }
    for (const { version } of ended) newest = Math.max(newest, version)
    if (this.#final.last.version < newest) this.#report('went back in time', `the row ends at ${this.#final.last.version}, after ${newest}`)
  }
}

function versionSeen(event: HistoryEvent): number | undefined {
  if (event.kind === 'read') return event.seen.version
  if (event.outcome.is === 'acknowledged') return event.outcome.version
  return event.outcome.is === 'conflict' ? event.outcome.current.version : undefined
}

/** The versions that are missing or there twice, in few words. */
function summary(versions: number[]): string {
  const counts = new Map<number, number>()
  for (const version of versions) counts.set(version, (counts.get(version) ?? 0) + 1)
  const twice = [...counts].filter(([, count]) => count > 1).map(([version]) => version)
  const last = versions.at(-1) ?? 0
  const missing = Array.from({ length: last }, (_, index) => index + 1).filter((version) => !counts.has(version))
  return `up to ${last}, without ${missing.slice(0, 5).join() || 'none'}, twice ${twice.slice(0, 5).join() || 'none'}`
}
