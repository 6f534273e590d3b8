// The entry of the worker thread that runs the embedded PostgreSQL, so that a long query does not block the HTTP server.
// It is written in JavaScript because Node loads it from src/ too, e.g. in tests, and there cannot run TypeScript.
import { PGlite } from '@electric-sql/pglite'
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm'
import { dataDir as emptyCluster } from '@electric-sql/pglite-prepopulatedfs'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import { Buffer } from 'node:buffer'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'

if (!parentPort) throw new Error('This file is the entry of a worker thread.')
const port = parentPort

/** @type {{ directory: string | null, isNew: boolean, socketPath: string }} */
const { directory, isNew, socketPath } = workerData // eslint-disable-line @typescript-eslint/no-unsafe-assignment

const db = await PGlite.create({
  dataDir: directory ?? 'memory://',
  extensions: { pg_trgm },
  // A new database starts as a copy of an empty cluster: initdb would take about five times as long.
  ...(isNew && { loadDataDir: await emptyCluster() }),
})

// Workaround for PGlite: when a message of the extended query protocol fails, PGlite sends ReadyForQuery at once, and again after the
// client's Sync. PostgreSQL sends only the second one. `pg` would take that for the end of its next query, and from then on return to
// each query the rows of the one before. So the first one is removed here.
const execute = db.execProtocolRawStream.bind(db)
/** @type {typeof execute} */
db.execProtocolRawStream = async (message, { onRawData, ...options }) => {
  // Parse, Bind, Describe, Execute, Close and Flush: the messages before a Sync.
  const beforeSync = 'PBDECH'.includes(String.fromCharCode(message[0] ?? 0))
  if (!beforeSync) return execute(message, { onRawData, ...options })
  /** @type {Uint8Array[]} */
  const output = []
  await execute(message, { ...options, onRawData: (data) => void output.push(data.slice()) })
  onRawData(withoutReadyForQuery(Buffer.concat(output)))
}

/**
 * Removes a ReadyForQuery from the end of the output.
 *
 * @param {Buffer} output complete messages: each has a type of one byte, then a length of four bytes, which counts itself
 */
function withoutReadyForQuery(output) {
  let last = 0
  for (let at = 0; at < output.length; at += 1 + output.readInt32BE(at + 1)) last = at
  return output[last] === 'Z'.charCodeAt(0) ? output.subarray(0, last) : output
}

const server = new PGLiteSocketServer({ db, path: socketPath, maxConnections: 2 })
await server.start()

port.once('message', async () => {
  await server.stop()
  // A connection that has just closed still uses the database in the next turn of the event loop.
  await nextTurn()
  await db.close()
  port.postMessage('closed')
})
port.postMessage('ready')
