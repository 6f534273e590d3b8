// @ts-check
// A thread of scripts/attack/neighbour.ts: four clients that read one assessment by its id again and again, with a short pause between. It
// answers each message with how long the reads since the last one took, in milliseconds, and how many failed.
import { Agent, request } from 'node:http'
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { z } from 'zod'

const CLIENTS = 4
const PAUSE_MS = 5

const { url, key, id } = z.object({ url: z.string(), key: z.string(), id: z.string() }).parse(workerData)
const agent = new Agent({ keepAlive: true })
const body = JSON.stringify({ query: 'query ($id: ID!) { assessment(id: $id) { id name version } }', variables: { id } })
const headers = { 'content-type': 'application/json', apikey: key }

/** @type {number[]} */
let times = []
let errors = 0

/** @returns {Promise<boolean>} whether the assessment was answered */
function read() {
  return new Promise((resolve) => {
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      let text = ''
      response.on('data', (chunk) => (text += String(chunk))).on('end', () => resolve(text.includes('"version":')))
    })
    sent.on('error', () => resolve(false)).end(body)
  })
}

async function readForever() {
  for (;;) {
    const startedAt = performance.now()
    if (!(await read())) errors += 1
    times.push(performance.now() - startedAt)
    await setTimeout(PAUSE_MS)
  }
}

parentPort?.on('message', () => {
  times.sort((a, b) => a - b)
  /** @param {number} part */
  const at = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0
  parentPort?.postMessage({ reads: times.length, p50: at(0.5), p99: at(0.99), longest: at(1), errors })
  times = []
  errors = 0
})
for (let client = 0; client < CLIENTS; client += 1) void readForever()
