import type { Logger } from 'pino'
import type { Database } from '../database/client.js'
import type { Observer } from './request-observer.js'
import type { TraceSettings } from './traces.js'

export interface ObservationSettings {
  host: string
  /** The port of the metrics. Undefined: nothing is measured. */
  metricsPort: number | undefined
  /** Where to send traces. Undefined: nothing is traced. */
  traces: TraceSettings | undefined
}

/** Starts metrics and traces if the settings ask for them. Their libraries are loaded only then. */
export async function observe(
  { host, metricsPort, traces }: ObservationSettings,
  database: Pick<Database, 'onQuery' | 'pool'>,
  log: Logger,
): Promise<{ observers: Observer[]; close(): Promise<void> }> {
  const observers: Observer[] = []
  const close = async () => {
    await Promise.all(observers.map((observer) => observer.close()))
  }
  if (metricsPort !== undefined) {
    const { startMetrics } = await import('./metrics.js')
    observers.push(await startMetrics({ host, port: metricsPort }, database, log))
  }
  if (traces) {
    const { startTraces } = await import('./traces.js')
    observers.push(startTraces(traces, database, log))
  }
  return { observers, close }
}
