import { PrismaPg } from '@prisma/adapter-pg'
import type { Pool, PoolConfig } from 'pg'
import { startEmbeddedDatabase } from './embedded.js'
import { PrismaClient } from '../generated/prisma/client.js'
import { RequestPool } from './pool.js'
import { countStatement, PreparedStatements } from './prepared-statements.js'
import { StartError } from '../process/start-error.js'

/** The open database: one client, whether PostgreSQL or the embedded one stands behind it. */
export interface Database {
  client: PrismaClient
  adapter: PrismaPg
  /** The connections that client, adapter and statements use. */
  pool: Pool
  statements: PreparedStatements
  /** True for PGlite, which has a single connection. */
  embedded: boolean
  /** Hears every SQL statement, with placeholders for its values, and how long it took. */
  onQuery(listener: (sql: string, durationMs: number) => void): void
  close(): Promise<void>
}

/** Where the data lives: a PostgreSQL, PGlite in a directory (null: in memory), or a PGlite that runs already. */
export type DatabaseLocation = PostgresLocation | { dataDirectory: string | null } | { socketDirectory: string }

interface PostgresLocation {
  url: string
  poolSize: number
  /** How long a request waits for a free connection before it fails, in milliseconds. */
  poolTimeoutMs?: number
  /** After how many milliseconds PostgreSQL ends a statement by itself; left out, never. */
  statementTimeoutMs?: number
}

const POOL_TIMEOUT_MS = 5_000
/** How long a connection is kept that nobody needs: what comes after a pause would wait for new ones. */
const IDLE_TIMEOUT_MS = 60_000

/**
 * PostgreSQL ends the statement of a connection that was cut off within this time. And Prisma's
 * driver writes and reads instants without their offset, as if every session were in UTC.
 */
const SESSION = '-c client_connection_check_interval=500ms -c TimeZone=UTC'

/**
 * Opens the database and makes sure that it answers. It does not migrate.
 *
 * @throws StartError when it cannot be reached or opened.
 */
export async function openDatabase(location: DatabaseLocation): Promise<Database> {
  if ('url' in location) {
    const { url, poolSize, poolTimeoutMs = POOL_TIMEOUT_MS, statementTimeoutMs } = location
    const config = {
      connectionString: url,
      max: poolSize,
      connectionTimeoutMillis: poolTimeoutMs,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
      options: SESSION,
      ...(statementTimeoutMs !== undefined && { statement_timeout: statementTimeoutMs }),
    }
    return connect(config, false, async () => {})
  }
  if ('socketDirectory' in location) return connectEmbedded(location.socketDirectory, async () => {})
  const embedded = await startEmbeddedDatabase(location.dataDirectory)
  return connectEmbedded(embedded.socketDirectory, () => embedded.close())
}

function connectEmbedded(socketDirectory: string, stop: () => Promise<void>): Promise<Database> {
  // One connection serves everybody, so that waiting for it is normal here.
  const config = { host: socketDirectory, user: 'postgres', database: 'postgres', max: 1, idleTimeoutMillis: 0 }
  return connect(config, true, stop)
}

async function connect(config: PoolConfig, embedded: boolean, stop: () => Promise<void>): Promise<Database> {
  const pool = new RequestPool({ ...config, application_name: 'assessment-gateway' }, !embedded)
  // A connection that dies while idle is replaced, and whoever uses one learns of its death from a statement that
  // fails. Unheard, the events would end the process: Prisma listens on a transaction's connection only once all
  // that had arrived with it was handled.
  pool.on('error', () => {})
  pool.on('connect', (connection) => connection.on('error', () => {}))
  const adapter = new PrismaPg(pool)
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
    throw new StartError('The database cannot be reached. Check DATABASE_URL and that PostgreSQL is running there.', { cause })
  }
  return { client, adapter, pool, statements, embedded, onQuery: (listener) => void listeners.push(listener), close }
}
