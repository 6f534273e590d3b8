import { PrismaPg } from '@prisma/adapter-pg'
import { startEmbeddedDatabase } from './embedded.js'
import { PrismaClient } from '../generated/prisma/client.js'
import { RequestPool, type RequestPoolConfig } from './pool.js'
import { countStatement, PreparedStatements } from './prepared-statements.js'
import { findDatabase } from './session.js'
import { StartError } from '../process/start-error.js'

/** An open database, PostgreSQL or the embedded one. */
export interface Database {
  client: PrismaClient
  adapter: PrismaPg
  /** The connections. `client`, `adapter` and `statements` all use this pool. */
  pool: RequestPool
  statements: PreparedStatements
  /** True for PGlite, which has a single connection. */
  embedded: boolean
  /** Calls `listener` after each SQL statement with its text, which has placeholders for values, and its duration in milliseconds. */
  onQuery(listener: (sql: string, durationMs: number) => void): void
  close(): Promise<void>
}

/** Which database to open: PostgreSQL by its URL, PGlite in a directory (null: in memory), or a running PGlite by its socket. */
export type DatabaseLocation = PostgresLocation | { dataDirectory: string | null } | { socketDirectory: string }

interface PostgresLocation {
  url: string
  poolSize: number
  /** How many of the connections one organisation may use at a time. Left out: all. */
  poolShare?: number
  /** How long a request waits for a free connection before it fails, in milliseconds. */
  poolTimeoutMs?: number
  /** After how many milliseconds PostgreSQL cancels a statement. Left out: never. */
  statementTimeoutMs?: number
}

const POOL_TIMEOUT_MS = 5_000
/** How long an idle connection is kept. With less, requests after a short pause would have to wait for new connections. */
const IDLE_TIMEOUT_MS = 60_000

/**
 * Opens a database and checks that it answers. It does not migrate.
 *
 * @throws StartError when the database cannot be reached or opened.
 */
export async function openDatabase(location: DatabaseLocation): Promise<Database> {
  if ('url' in location) {
    const { url, poolSize, poolShare = poolSize, poolTimeoutMs = POOL_TIMEOUT_MS, statementTimeoutMs } = location
    const { schema, ...connection } = await findDatabase(url, poolTimeoutMs, statementTimeoutMs)
    const config = {
      ...connection,
      max: poolSize,
      share: poolShare,
      waitMs: poolTimeoutMs,
      canInterrupt: true,
      connectionTimeoutMillis: poolTimeoutMs,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
    }
    return connect(config, schema, async () => {})
  }
  if ('socketDirectory' in location) return connectEmbedded(location.socketDirectory, async () => {})
  const embedded = await startEmbeddedDatabase(location.dataDirectory)
  return connectEmbedded(embedded.socketDirectory, () => embedded.close())
}

function connectEmbedded(socketDirectory: string, stop: () => Promise<void>): Promise<Database> {
  // PGlite has one session only, so that all requests wait for one connection, and for as long as it takes.
  const config = { host: socketDirectory, user: 'postgres', database: 'postgres', max: 1, share: 1, waitMs: Infinity, canInterrupt: false, idleTimeoutMillis: 0 }
  return connect(config, undefined, stop)
}

/** @param schema that all statements use; undefined for the embedded database, which has one only */
async function connect(config: RequestPoolConfig, schema: string | undefined, stop: () => Promise<void>): Promise<Database> {
  const pool = new RequestPool({ ...config, application_name: 'assessment-gateway' })
  // Errors of connections need no action here: the pool replaces an idle connection, and one in use fails its statement.
  // But without a listener such an event would end the process, and Prisma adds its own to a connection too late.
  pool.on('error', () => {})
  pool.on('connect', (connection) => connection.on('error', () => {}))
  const embedded = schema === undefined
  const adapter = new PrismaPg(pool, schema === undefined ? {} : { schema })
  const client = new PrismaClient({ adapter, log: [{ emit: 'event', level: 'query' }] })
  const listeners: ((sql: string, durationMs: number) => void)[] = [countStatement]
  const notify = (sql: string, durationMs: number) => {
    for (const listener of listeners) listener(sql, durationMs)
  }
  client.$on('query', ({ query, duration }) => notify(query, duration))
  const statements = new PreparedStatements(pool, !embedded, notify)
  const close = async () => {
    await client.$disconnect()
    await pool.end()
    await stop()
  }
  try {
    await pool.query('SELECT 1')
  } catch (cause) {
    await close()
    throw new StartError('The database does not answer.', { cause })
  }
  return { client, adapter, pool, statements, embedded, onQuery: (listener) => void listeners.push(listener), close }
}
