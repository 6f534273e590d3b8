import { StartError } from '../process/start-error.js'
import { type Database, type DatabaseLocation, openDatabase } from './client.js'
import { migrate, migrationDifference } from './migrations.js'
import { requireRights } from './rights.js'

export interface DatabaseSettings {
  /** The URL of a PostgreSQL. Undefined: the embedded database in `dataDirectory`. */
  databaseUrl: string | undefined
  databasePoolSize: number
  /** How long a request waits for a free connection, in milliseconds. */
  databasePoolTimeoutMs: number
  /** The part of the connections that one organisation may use at a time, above 0 and at most 1. */
  organisationShare: number
  dataDirectory: string
}

/**
 * Opens a database, and closes it when `use` is done or has failed.
 *
 * @param statementTimeoutMs After how many milliseconds PostgreSQL cancels a statement. Left out: never.
 * @throws StartError when the database cannot be reached or opened.
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

function databaseLocation({ databaseUrl, databasePoolSize, databasePoolTimeoutMs, organisationShare, dataDirectory }: DatabaseSettings, statementTimeoutMs?: number): DatabaseLocation {
  if (databaseUrl === undefined) return { dataDirectory }
  return {
    url: databaseUrl,
    poolSize: databasePoolSize,
    poolShare: Math.ceil(databasePoolSize * organisationShare),
    poolTimeoutMs: databasePoolTimeoutMs,
    ...(statementTimeoutMs !== undefined && { statementTimeoutMs }),
  }
}

/**
 * Makes sure that the database has the schema of this version. The embedded database is migrated here; PostgreSQL is migrated only by
 * `npm run migrate`.
 *
 * @throws StartError when the database has another schema, or the role of DATABASE_URL may not use it.
 */
export async function prepare(database: Database): Promise<void> {
  if (database.embedded) await migrate(database.adapter)
  await requireRights(database.client)
  await requireMigrated(database)
}

/** @throws StartError when the database lacks migrations, or has some of a newer version. */
export async function requireMigrated({ client }: Database): Promise<void> {
  const { missing, ahead } = await migrationDifference(client)
  if (missing.length > 0) throw new StartError(`The database lacks the migrations ${missing.join(', ')}: run \`npm run migrate\` first.`)
  if (ahead.length > 0) throw new StartError(`The database has migrations that this version does not know: ${ahead.join(', ')}. Start the version that made them.`)
}
