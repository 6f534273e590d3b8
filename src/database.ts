import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { startEmbeddedDatabase } from './embedded-database.js'
import { PrismaClient } from './generated/prisma/client.js'
import { StartError } from './start-error.js'

/** The open database: one client, whether PostgreSQL or the embedded one stands behind it. */
export interface Database {
  client: PrismaClient
  adapter: PrismaPg
  /** The connections that client and adapter use. */
  pool: pg.Pool
  /** True for PGlite, which has a single connection. */
  embedded: boolean
  /** Hears every SQL statement, for counting. */
  onQuery(listener: (sql: string) => void): void
  close(): Promise<void>
}

/** Where the data lives: a PostgreSQL, PGlite in a directory (null: in memory), or a PGlite that runs already. */
export type DatabaseLocation = { url: string; poolSize: number } | { dataDirectory: string | null } | { socketDirectory: string }

/** How long a request waits for a free connection before it fails, instead of hanging for ever. */
const CONNECTION_TIMEOUT_MS = 5_000

/**
 * Opens the database and makes sure that it answers. It does not migrate.
 *
 * @throws StartError when it cannot be reached or opened.
 */
export async function openDatabase(location: DatabaseLocation): Promise<Database> {
  if ('url' in location) {
    return connect({ connectionString: location.url, max: location.poolSize }, false, async () => {})
  }
  if ('socketDirectory' in location) return connectEmbedded(location.socketDirectory, async () => {})
  const embedded = await startEmbeddedDatabase(location.dataDirectory)
  return connectEmbedded(embedded.socketDirectory, () => embedded.close())
}

function connectEmbedded(socketDirectory: string, stop: () => Promise<void>): Promise<Database> {
  const config = { host: socketDirectory, user: 'postgres', database: 'postgres', max: 1, idleTimeoutMillis: 0 }
  return connect(config, true, stop)
}

async function connect(config: pg.PoolConfig, embedded: boolean, stop: () => Promise<void>): Promise<Database> {
  const pool = new pg.Pool({
    ...config,
    application_name: 'assessment-gateway',
    // One connection serves everybody on PGlite, so that waiting for it is normal there.
    ...(!embedded && { connectionTimeoutMillis: CONNECTION_TIMEOUT_MS }),
  })
  // A connection that dies while idle is replaced on the next use; unheard, the event would end the process.
  pool.on('error', () => {})
  const adapter = new PrismaPg(pool)
  const client = new PrismaClient({ adapter, log: [{ emit: 'event', level: 'query' }] })
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
  return { client, adapter, pool, embedded, onQuery: (listener) => client.$on('query', ({ query }) => listener(query)), close }
}
