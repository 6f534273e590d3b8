import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
import { z } from 'zod'

/** What another tenant felt: of its point reads, how long they took in milliseconds, and how many failed. */
export type Felt = z.output<typeof felt>
const felt = z.object({ reads: z.number(), p50: z.number(), p99: z.number(), longest: z.number(), errors: z.number() })

/** Another tenant, in a thread of its own so that what it feels is the gateway and not us. */
export class Neighbour {
  readonly #worker: Worker

  constructor(url: string, key: string, assessmentId: string) {
    this.#worker = new Worker(new URL('reader.js', import.meta.url), { execArgv: [], workerData: { url, key, id: assessmentId } })
  }

  /** What it has felt since it was asked before. */
  async felt(): Promise<Felt> {
    this.#worker.postMessage('ask')
    const [told] = z.array(z.unknown()).parse(await once(this.#worker, 'message'))
    return felt.parse(told)
  }

  async stop(): Promise<void> {
    await this.#worker.terminate()
  }
}
