import { StartError } from '../process/start-error.js'
import { type Database, type DatabaseLocation, openDatabase } from './client.js'
import { migrate, migrationDifference } from './migrations.js'

/** Which database to work on. */
export interface DatabaseSettings {
  /** A PostgreSQL; undefined: the embedded one in `dataDirectory`. */
  databaseUrl: string | undefined
  databasePoolSize: number
  /** How long a request waits for a free connection, in milliseconds. */
  databasePoolTimeoutMs: number
  dataDirectory: string
}

/**
 * Opens a database for as long as `use` takes.
 *
 * @param statementTimeoutMs after how many milliseconds PostgreSQL ends a statement; left out, never
 */
export async function withDatabase<Result>(
  settings: DatabaseSettings,
  use: (database: Database) => Promise<Result>,
  statementTimeoutMs?: number,
): Promise<Result> {
  const database = await openDatabase(databaseLocation(settings, statementTimeoutMs))
  try {
    return await use(database)
  } finally {
    await database.close()
  }
}

function databaseLocation({ databaseUrl, databasePoolSize, databasePoolTimeoutMs, dataDirectory }: DatabaseSettings, statementTimeoutMs?: number): DatabaseLocation {
  if (databaseUrl === undefined) return { dataDirectory }
  return {
    url: databaseUrl,
    poolSize: databasePoolSize,
    poolTimeoutMs: databasePoolTimeoutMs,
    ...(statementTimeoutMs !== undefined && { statementTimeoutMs }),
  }
}

/**
 * The embedded database is migrated on the way; PostgreSQL only by `npm run migrate`.
 *
 * @throws StartError when the database is not at this version's schema.
 */
export async function prepare(database: Database): Promise<void> {
  if (database.embedded) await migrate(database.adapter)
  await requireMigrated(database)
}

/** @throws StartError when the database is not at this version's schema. */
export async function requireMigrated({ client }: Database): Promise<void> {
  const { missing, ahead } = await migrationDifference(client)
  if (missing.length > 0) throw new StartError(`The database lacks the migrations ${missing.join(', ')}: run \`npm run migrate\` first.`)
  if (ahead.length > 0) throw new StartError(`The database has migrations that this version does not know: ${ahead.join(', ')}. Start the version that made them.`)
}
