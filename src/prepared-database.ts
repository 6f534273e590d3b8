import { type Database, type DatabaseLocation, openDatabase } from './database.js'
import { migrate, migrationDifference } from './migrations.js'
import type { Settings } from './settings.js'
import { StartError } from './start-error.js'

/** Opens the database of the settings for as long as `use` takes. */
export async function withDatabase<Result>(settings: Settings, use: (database: Database) => Promise<Result>): Promise<Result> {
  const database = await openDatabase(databaseLocation(settings))
  try {
    return await use(database)
  } finally {
    await database.close()
  }
}

function databaseLocation({ databaseUrl, databasePoolSize, dataDirectory }: Settings): DatabaseLocation {
  return databaseUrl === undefined ? { dataDirectory } : { url: databaseUrl, poolSize: databasePoolSize }
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
