import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
import { z } from 'zod'

/** What another tenant felt: of its point reads, how long they took in milliseconds, and how many failed. */
export type Felt = z.output<typeof felt>
const felt = z.object({ reads: z.number(), p50: z.number(), p99: z.number(), longest: z.number(), errors: z.number() })

/** Four that read one assessment by its id again and again, with a short pause between. */
const reader = `
  const { Agent, request } = require('node:http')
  const { parentPort, workerData: { url, key, id } } = require('node:worker_threads')
  const PAUSE_MS = 5
  const agent = new Agent({ keepAlive: true })
  const body = JSON.stringify({ query: 'query ($id: ID!) { assessment(id: $id) { id name version } }', variables: { id } })
  const headers = { 'content-type': 'application/json', apikey: key }
  let times = []
  let errors = 0
  const read = () => new Promise((resolve) => {
    const failed = () => { errors += 1; resolve() }
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      let text = ''
      response.on('data', (chunk) => (text += chunk)).on('end', () => {
        if (text.includes('"version":')) resolve()
        else failed()
      })
    })
    sent.on('error', failed).end(body)
  })
  const forever = async () => {
    for (;;) {
      const startedAt = performance.now()
      await read()
      times.push(performance.now() - startedAt)
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }
  parentPort.on('message', () => {
    times.sort((a, b) => a - b)
    const at = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0
    parentPort.postMessage({ reads: times.length, p50: at(0.5), p99: at(0.99), longest: at(1), errors })
    times = []
    errors = 0
  })
  for (let reader = 0; reader < 4; reader += 1) void forever()
`

/** Another tenant, in a thread of its own so that what it feels is the gateway and not us. */
export class Neighbour {
  readonly #worker: Worker

  constructor(url: string, key: string, assessmentId: string) {
    this.#worker = new Worker(reader, { eval: true, execArgv: [], workerData: { url, key, id: assessmentId } })
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
