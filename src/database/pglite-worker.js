// The embedded PostgreSQL runs in this thread, so that a long query never stalls the HTTP server.
// It is plain JavaScript because a worker's entry is loaded by Node itself, from src/ and dist/ alike.
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
  // A ready-made empty cluster: initdb would take about five times as long.
  ...(isNew && { loadDataDir: await emptyCluster() }),
})

// PGlite ends each message that fails with ReadyForQuery, where PostgreSQL waits for the client's Sync.
// `pg` would take the one that Sync brings for the answer to its next query, and from then on give every
// query the rows of the one before.
const execute = db.execProtocolRawStream.bind(db)
/** @type {typeof execute} */
db.execProtocolRawStream = async (message, { onRawData, ...options }) => {
  const beforeSync = 'PBDECH'.includes(String.fromCharCode(message[0] ?? 0))
  if (!beforeSync) return execute(message, { onRawData, ...options })
  /** @type {Uint8Array[]} */
  const output = []
  await execute(message, { ...options, onRawData: (data) => void output.push(data.slice()) })
  onRawData(withoutReadyForQuery(Buffer.concat(output)))
}

/** @param {Buffer} output whole messages, each a type of one byte and a length that counts itself */
function withoutReadyForQuery(output) {
  let last = 0
  for (let at = 0; at < output.length; at += 1 + output.readInt32BE(at + 1)) last = at
  return output[last] === 'Z'.charCodeAt(0) ? output.subarray(0, last) : output
}

const server = new PGLiteSocketServer({ db, path: socketPath, maxConnections: 2 })
await server.start()

port.once('message', async () => {
  await server.stop()
  // A connection that has just closed asks the database once more, in the next turn.
  await nextTurn()
  await db.close()
  port.postMessage('closed')
})
port.postMessage('ready')
