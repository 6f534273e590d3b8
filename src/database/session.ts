import pg, { DatabaseError } from 'pg'
import { StartError } from '../process/start-error.js'

/**
 * What holds in each session, whatever the server, the database, the role and DATABASE_URL say. Each setting here changes how values or
 * statements are written, or what the gateway promises.
 */
const SESSION = {
  client_encoding: 'UTF8',
  DateStyle: 'ISO,MDY',
  IntervalStyle: 'postgres',
  // Prisma's driver adapter leaves the offset out of timestamps.
  TimeZone: 'UTC',
  // Numbers come as they are stored, and not rounded.
  extra_float_digits: '1',
  bytea_output: 'hex',
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  transform_null_equals: 'off',
  // Of two writes that meet, one waits for the other, and then sees it.
  default_transaction_isolation: 'read committed',
  // A write waits as long as its deadline allows.
  lock_timeout: '0',
  // PostgreSQL looks this often whether the client is still connected, and otherwise cancels its statement: this is how the SQL of an
  // interrupted request ends.
  client_connection_check_interval: '500ms',
}

/** Parameters of a URL that this replaces. The driver would let them win over the options of a session. */
const REPLACED = ['options', 'schema', 'client_encoding', 'statement_timeout', 'lock_timeout', 'query_timeout']

/** How the driver connects to PostgreSQL. */
export interface PostgresConnection {
  connectionString: string
  /** Settings of the session, as the command line of a server. */
  options: string
}

/** What is found out about a database before it is used. */
export interface PostgresDatabase extends PostgresConnection {
  /** The schema that all statements use. */
  schema: string
}

/** @param more further settings, which hold over those of the URL */
function connectionTo(url: string, more: Record<string, string>): PostgresConnection {
  const address = new URL(url)
  const given = address.searchParams.get('options') ?? ''
  for (const name of REPLACED) address.searchParams.delete(name)
  const settings = Object.entries({ ...SESSION, ...more }).map(([name, value]) => `-c ${name}=${value.replace(/[\\ ]/g, '\\$&')}`)
  // Of settings that are given twice, the last one holds.
  return { connectionString: address.href, options: [given, ...settings].join(' ').trim() }
}

/**
 * Connects once, to find out which schema is used: the one of `?schema=` in the URL, or else the first one of the role's search_path. From
 * then on it is the only one, so that migrations, Prisma's statements and ours mean the same tables, whatever the search_path becomes.
 *
 * @param statementTimeoutMs after how many milliseconds PostgreSQL cancels a statement; left out: never
 * @throws StartError when PostgreSQL cannot be reached or refuses the connection, or there is no schema.
 */
export async function findDatabase(url: string, timeoutMs: number, statementTimeoutMs = 0): Promise<PostgresDatabase> {
  const wanted = new URL(url).searchParams.get('schema')
  const more = { statement_timeout: String(statementTimeoutMs) }
  const client = new pg.Client({
    ...connectionTo(url, { ...more, ...(wanted !== null && { search_path: pg.escapeIdentifier(wanted) }) }),
    connectionTimeoutMillis: timeoutMs,
  })
  try {
    await client.connect().catch((error: unknown) => {
      throw unreachable(error)
    })
    const { rows: [row] } = await client.query<{ schema: string | null; trigrams: string | null; path: string }>(SCHEMAS)
    const schema = row?.schema
    if (schema == null) throw new StartError(noSchema(wanted, row?.path ?? ''))
    const path = [schema, row?.trigrams ?? schema].map((name) => pg.escapeIdentifier(name))
    return { schema, ...connectionTo(url, { ...more, search_path: [...new Set(path)].join() }) }
  } finally {
    await client.end()
  }
}

/** The operators of indexes for text search are in the schema of their extension, which migrations need besides. */
const SCHEMAS = `
  SELECT current_schema() AS "schema", current_setting('search_path') AS "path",
    (SELECT nspname FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'pg_trgm') AS "trigrams"`

function noSchema(wanted: string | null, path: string): string {
  if (wanted !== null) return `DATABASE_URL names the schema "${wanted}", which does not exist or which the role may not use.`
  return `None of the schemas in the search_path ${path} exists and may be used by the role. Name one by ?schema= in DATABASE_URL.`
}

function unreachable(cause: unknown): StartError {
  const message = cause instanceof Error ? cause.message : String(cause)
  // The reason is PostgreSQL's: a wrong password, a database or a role that does not exist, a connection that has to be encrypted.
  if (cause instanceof DatabaseError) return new StartError(`PostgreSQL refuses the connection: ${message}. Check DATABASE_URL.`, { cause })
  if (/SSL|certificate/i.test(message)) return new StartError(`The connection to PostgreSQL cannot be encrypted: ${message}. Check sslmode in DATABASE_URL.`, { cause })
  return new StartError(`The database cannot be reached (${message}). Check DATABASE_URL and that PostgreSQL is running there.`, { cause })
}
