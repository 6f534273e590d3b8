import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { lock } from 'proper-lockfile'
import { StartError } from '../process/start-error.js'

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
  let worker: Worker | undefined
  const release = async () => {
    await worker?.terminate()
    await rm(socketDirectory, { recursive: true, force: true })
    await unlock()
  }
  try {
    const isNew = directory === null || (await isNewCluster(directory))
    if (isNew && directory !== null) {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      await writeFile(join(directory, UNFINISHED), '')
    }
    worker = new Worker(new URL('./pglite-worker.js', import.meta.url), {
      workerData: { directory, isNew, socketPath: join(socketDirectory, '.s.PGSQL.5432') },
    })
    await once(worker, 'message')
    if (isNew && directory !== null) await rm(join(directory, UNFINISHED))
  } catch (cause) {
    await release()
    throw new StartError(
      `The embedded database in ${directory ?? 'memory'} cannot be opened; its data was left as it is. ` +
        'If the directory is damaged, restore it from a backup or set DATA_DIR to another one.',
      { cause },
    )
  }
  const running = worker
  return {
    socketDirectory,
    async close() {
      running.postMessage('close')
      await once(running, 'message')
      await release()
    },
  }
}

/** Marks a cluster that is being made: nothing was ever kept in it. */
const UNFINISHED = 'gateway-is-making-this'

/**
 * Whether there is no database yet. What a start that was killed has left of a new one is removed.
 *
 * @throws Error when there is something else, so that it is never overwritten.
 */
async function isNewCluster(directory: string): Promise<boolean> {
  if (!existsSync(directory)) return true
  const files = await readdir(directory)
  if (files.length === 0) return true
  if (files.includes(UNFINISHED)) {
    // Moved first, so that being killed in here leaves no half of it either.
    const remains = `${directory}.unfinished`
    await rm(remains, { recursive: true, force: true })
    await rename(directory, remains)
    await rm(remains, { recursive: true })
    return true
  }
  if (!files.includes('PG_VERSION')) throw new Error(`${directory} holds no database.`)
  return false
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
