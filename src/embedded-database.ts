import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { lock } from 'proper-lockfile'
import { StartError } from './start-error.js'

/** A running PGlite: where `pg` connects to, and how to end it without losing anything. */
export interface EmbeddedDatabase {
  /** Directory of the Unix socket, private to this user. */
  socketDirectory: string
  close(): Promise<void>
}

/** A process that was killed leaves its lock behind; after this long without a heartbeat it is void. */
const LOCK_STALE_MS = 3_000

/**
 * Starts PGlite in a worker thread, on `DATA_DIR/pglite` or, for null, in memory.
 *
 * @throws StartError when another process holds the directory or PGlite cannot open it.
 */
export async function startEmbeddedDatabase(dataDirectory: string | null): Promise<EmbeddedDatabase> {
  const directory = dataDirectory === null ? null : join(dataDirectory, 'pglite')
  const unlock = dataDirectory === null ? async () => {} : await lockDirectory(dataDirectory)
  const socketDirectory = await mkdtemp(join(tmpdir(), 'assessment-gateway-'))
  const worker = new Worker(new URL('./pglite-worker.js', import.meta.url), {
    workerData: { directory, socketPath: join(socketDirectory, '.s.PGSQL.5432') },
  })
  const release = async () => {
    await worker.terminate()
    await rm(socketDirectory, { recursive: true, force: true })
    await unlock()
  }
  try {
    await once(worker, 'message')
  } catch (cause) {
    await release()
    throw new StartError(
      `The embedded database in ${directory ?? 'memory'} cannot be opened; nothing in it was changed. ` +
        'If the directory is damaged, restore it from a backup or set DATA_DIR to another one.',
      { cause },
    )
  }
  return {
    socketDirectory,
    async close() {
      worker.postMessage('close')
      await once(worker, 'message')
      await release()
    },
  }
}

async function lockDirectory(dataDirectory: string): Promise<() => Promise<void>> {
  try {
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 })
    await readdir(dataDirectory)
  } catch (cause) {
    throw new StartError(`DATA_DIR ${dataDirectory} cannot be used as a directory.`, { cause })
  }
  try {
    return await lock(dataDirectory, {
      lockfilePath: join(dataDirectory, 'lock'),
      stale: LOCK_STALE_MS,
      update: LOCK_STALE_MS / 3,
      retries: { retries: 8, factor: 1, minTimeout: LOCK_STALE_MS / 6 },
      onCompromised: (cause) => {
        // Another process believes that the directory is its own: writing on would damage it.
        process.stderr.write(`The lock on ${dataDirectory} was lost (${cause.message}); stopping at once.\n`)
        process.exit(1)
      },
    })
  } catch (cause) {
    throw new StartError(
      `The data directory ${dataDirectory} is held by another process. Stop that one first, or set DATA_DIR to another directory.`,
      { cause },
    )
  }
}
