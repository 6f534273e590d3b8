// Loaded into the server by scripts/attack.ts, before its own code. After the message 'begin' it collects garbage, so that what comes is
// measured alone, and answers when that is done. After 'end' it answers with what the server has used since: CPU time, memory at its peak
// above what it had, and the longest time for which its event loop served nobody.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import process from 'node:process'
import { setImmediate } from 'node:timers'
import { Worker } from 'node:worker_threads'

const SAMPLE_MS = 5
const RESOLUTION_MS = 1

/** The largest resident memory since the last message, in KiB: written by a thread, which goes on while the event loop does not. */
const peak = new Int32Array(new SharedArrayBuffer(4))
const sampler = `
  const { workerData } = require('node:worker_threads')
  setInterval(() => {
    const now = Math.round(process.memoryUsage.rss() / 1024)
    if (now > Atomics.load(workerData, 0)) Atomics.store(workerData, 0, now)
  }, ${SAMPLE_MS})
`
new Worker(sampler, { eval: true, workerData: peak, execArgv: [] }).unref()

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
delay.enable()

let cpu = process.cpuUsage()
let rss = 0

process.on('message', (message) => {
  if (message === 'begin') return begin()
  const { user, system } = process.cpuUsage(cpu)
  process.send?.({
    cpuMs: (user + system) / 1000,
    peakMiB: Math.max(0, (Atomics.load(peak, 0) - rss) / 1024),
    longestPieceMs: Math.max(0, delay.max / 1e6 - RESOLUTION_MS),
  })
})

function begin() {
  globalThis.gc?.()
  // Afterwards, as the collection is none of what comes now.
  setImmediate(() => {
    rss = process.memoryUsage.rss() / 1024
    Atomics.store(peak, 0, Math.round(rss))
    delay.reset()
    cpu = process.cpuUsage()
    process.send?.('began')
  })
}

// The server ends when it has nothing to do, asked or not, and with whoever started it.
process.channel?.unref()
process.on('disconnect', () => process.exit())
