import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { lock } from 'proper-lockfile'
import { StartError } from '../process/start-error.js'

/** A running PGlite. */
export interface EmbeddedDatabase {
  /** Directory of the Unix socket that `pg` connects to. Only this user can read it. */
  socketDirectory: string
  /** Stops PGlite after it has written everything to disk. */
  close(): Promise<void>
}

/** How old a lock must be to count as left behind by a process that was killed. A living process renews it three times as often. */
const LOCK_STALE_MS = 3_000

/**
 * Starts PGlite in a worker thread, in the folder pglite of `dataDirectory` or, for null, in memory.
 *
 * @throws StartError when another process uses the directory, or PGlite cannot open it.
 */
export async function startEmbeddedDatabase(dataDirectory: string | null): Promise<EmbeddedDatabase> {
  const directory = dataDirectory === null ? null : join(dataDirectory, 'pglite')
  const unlock = dataDirectory === null ? async () => {} : await lockDirectory(dataDirectory)
  const socketDirectory = await makeSocketDirectory(dataDirectory).catch(async (error: unknown) => {
    await unlock()
    throw error
  })
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
      workerData: { directory, isNew, socketPath: join(socketDirectory, SOCKET) },
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

/** What PostgreSQL's clients call the socket in its directory. */
const SOCKET = '.s.PGSQL.5432'
/** The most that systems allow for the path of a socket: 107 bytes on Linux, 103 on macOS. Node would cut a longer one. */
const SOCKET_PATH_BYTES = 103

/** Makes a directory for the socket that only this user can read: in the first place that exists and has a path that is short enough. */
async function makeSocketDirectory(dataDirectory: string | null): Promise<string> {
  const reasons: string[] = []
  for (const place of new Set([tmpdir(), '/tmp', ...(dataDirectory === null ? [] : [resolve(dataDirectory)])])) {
    const directory = join(place, 'gateway-')
    if (Buffer.byteLength(join(`${directory}XXXXXX`, SOCKET)) > SOCKET_PATH_BYTES) {
      reasons.push(`the path ${place} is too long`)
      continue
    }
    try {
      return await mkdtemp(directory)
    } catch (error) {
      reasons.push(reasonOf(error))
    }
  }
  throw new StartError(`No place can have the socket of the embedded database: ${reasons.join('; ')}. Set TMPDIR to a directory that can be written to.`)
}

/** A file in a cluster that is being created. A cluster that still has it was never used. */
const UNFINISHED = 'gateway-is-making-this'

/**
 * Whether the directory has no database yet. An unfinished one, left behind by a process that was killed, is removed.
 *
 * @throws Error when the directory holds other files, which must not be overwritten.
 */
async function isNewCluster(directory: string): Promise<boolean> {
  if (!existsSync(directory)) return true
  const files = await readdir(directory)
  if (files.length === 0) return true
  if (files.includes(UNFINISHED)) {
    // Renamed first: if the process is killed during the removal, no half of a cluster is left at `directory`.
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
    await makeDirectory(dataDirectory)
    await readdir(dataDirectory)
  } catch (cause) {
    throw unusable(dataDirectory, cause)
  }
  try {
    return await lock(dataDirectory, {
      lockfilePath: join(dataDirectory, 'lock'),
      stale: LOCK_STALE_MS,
      update: LOCK_STALE_MS / 3,
      // Eight tries at intervals of half a second outlast a stale lock.
      retries: { retries: 8, factor: 1, minTimeout: LOCK_STALE_MS / 6 },
      onCompromised: (cause) => {
        // Another process may have taken the directory by now, and two writers would damage the data.
        process.stderr.write(`The lock on ${dataDirectory} was lost (${cause.message}); stopping at once.\n`)
        process.exit(1)
      },
    })
  } catch (cause) {
    if (codeOf(cause) !== 'ELOCKED') throw unusable(dataDirectory, cause)
    throw new StartError(
      `The data directory ${dataDirectory} is held by another process. Stop that one first, or set DATA_DIR to another directory.`,
      { cause },
    )
  }
}

/**
 * Makes a directory and those above it that are missing. Node's `mkdir` with `recursive` is no choice here: in a place where nothing can be
 * made, such as /proc, it tries for ever.
 *
 * @throws Error when the directory is not there afterwards.
 */
async function makeDirectory(path: string): Promise<void> {
  if (existsSync(path)) return
  if (dirname(path) !== path) await makeDirectory(dirname(path))
  await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
    // Another process may have made it since.
    if (codeOf(error) !== 'EEXIST') throw error
  })
}

function unusable(dataDirectory: string, cause: unknown): StartError {
  return new StartError(`DATA_DIR ${dataDirectory} cannot be used as a directory to write to: ${reasonOf(cause)}.`, { cause })
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
