// The embedded PostgreSQL runs in this thread, so that a long query never stalls the HTTP server.
// It is plain JavaScript because a worker's entry is loaded by Node itself, from src/ and dist/ alike.
import { PGlite } from '@electric-sql/pglite'
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm'
import { dataDir as emptyCluster } from '@electric-sql/pglite-prepopulatedfs'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'

if (!parentPort) throw new Error('This file is the entry of a worker thread.')
const port = parentPort

/** @type {{ directory: string | null, socketPath: string }} */
const { directory, socketPath } = workerData // eslint-disable-line @typescript-eslint/no-unsafe-assignment

const isNew = directory === null || !existsSync(join(directory, 'PG_VERSION'))
const db = await PGlite.create({
  dataDir: directory ?? 'memory://',
  extensions: { pg_trgm },
  // A ready-made empty cluster: initdb would take about five times as long.
  ...(isNew && { loadDataDir: await emptyCluster() }),
})
const server = new PGLiteSocketServer({ db, path: socketPath, maxConnections: 2 })
await server.start()

port.once('message', async () => {
  await server.stop()
  await db.close()
  port.postMessage('closed')
})
port.postMessage('ready')
