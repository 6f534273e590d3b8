// What the clients of a run have seen, in terms of no particular server: rows hold one number each,
// and a version that every write raises by 1.

/** A row at one moment; version 0 and null: there is no such row. */
export interface Observation {
  version: number
  value: number | null
}

export type Outcome =
  | { is: 'acknowledged'; version: number; value: number | null }
  | { is: 'conflict'; current: Observation }
  /** An error that says that nothing was written. */
  | { is: 'failed' }
  /** No answer, or one that does not say whether the write was done: it may still have been. */
  | { is: 'unknown'; why: string }

/** Times are of one clock. Every write of a run has a value of its own. */
export interface WriteEvent {
  kind: 'write'
  row: string
  actor: string
  value: number
  /** Null: last write wins. */
  expectedVersion: number | null
  began: number
  ended: number
  outcome: Outcome
}

export interface ReadEvent {
  kind: 'read'
  row: string
  began: number
  ended: number
  seen: Observation
}

export type HistoryEvent = WriteEvent | ReadEvent

/** What the database holds of a row when the run is over. */
export interface FinalRow {
  row: string
  /** What it was before the run. */
  first: Observation
  last: Observation
  revisions: { version: number; actor: string }[]
}
