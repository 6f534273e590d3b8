import type { Beside } from './beside.js'
import type { RefreshFigures } from './refresh/measure.js'

/** What was measured of one server in one workload; lists have one figure a round. */
export interface Figures {
  server: string
  workload: string
  /** Requests a second. */
  perSecond: number[]
  /** Requests a second, to raw's in the same round. */
  ratios: number[]
  /** Processor time of the server's process a request. */
  cpuMicroseconds: number[]
  /** SQL statements a request. */
  statements: number | null
  /** Milliseconds at a steady rate. */
  latencies: { rate: number; p50: number; p99: number } | null
}

/** How often raw changed too much within a round of a workload. */
export interface Steadiness {
  repeated: number
  /** Rounds that count all the same, as they had been repeated often enough. */
  unsteady: number
}

export interface Results {
  seconds: number
  rounds: number
  /** The load average before the run: what else the machine was doing. */
  busy: number
  postgres: string
  workloads: ({ name: string; title: string } & Steadiness)[]
  servers: { name: string; title: string; peakMemory: number }[]
  figures: Figures[]
  beside: Beside[]
  refresh: RefreshFigures | null
}
