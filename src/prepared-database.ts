import { type Database, type DatabaseLocation, openDatabase } from './database.js'
import { migrate, migrationDifference } from './migrations.js'
import type { Settings } from './settings.js'
import { StartError } from './start-error.js'

/**
 * Opens the database of the settings for as long as `use` takes.
 *
 * @param statementTimeoutMs after how many milliseconds PostgreSQL ends a statement; left out, never
 */
export async function withDatabase<Result>(
  settings: Settings,
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

function databaseLocation({ databaseUrl, databasePoolSize, databasePoolTimeoutMs, dataDirectory }: Settings, statementTimeoutMs?: number): DatabaseLocation {
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
