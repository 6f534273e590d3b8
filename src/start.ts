import { createServer as createHttpServer } from 'node:http'
import { once } from 'node:events'
import pino from 'pino'
import { createAuthenticate } from './auth.js'
import { type Database, openDatabase } from './database.js'
import { migrate, migrationDifference } from './migrations.js'
import { createServer, GRAPHQL_PATH } from './server.js'
import { readSettings, type Settings } from './settings.js'
import { StartError } from './start-error.js'

/** Runs the gateway until SIGTERM or SIGINT. */
export async function start(env: NodeJS.ProcessEnv): Promise<void> {
  const settings = readSettings(env)
  // Standard output is for the demo keys and the address; logs go to standard error.
  const log = pino({ level: settings.logLevel }, pino.destination(2))
  const database = await openDatabase(databaseLocation(settings))
  try {
    await prepare(database)
    await serve(settings, database, log)
  } finally {
    await database.close()
  }
}

export function databaseLocation({ databaseUrl, databasePoolSize, dataDirectory }: Settings) {
  return databaseUrl === undefined ? { dataDirectory } : { url: databaseUrl, poolSize: databasePoolSize }
}

/** The embedded database is migrated on the way; PostgreSQL only by `npm run migrate`. */
async function prepare({ adapter, client, embedded }: Database): Promise<void> {
  if (embedded) await migrate(adapter)
  const { missing, ahead } = await migrationDifference(client)
  if (missing.length > 0) throw new StartError(`The database lacks the migrations ${missing.join(', ')}: run \`npm run migrate\` first.`)
  if (ahead.length > 0) throw new StartError(`The database has migrations that this version does not know: ${ahead.join(', ')}. Start the version that made them.`)
}

async function serve(settings: Settings, database: Database, log: pino.Logger): Promise<void> {
  const { client } = database
  let stopping = false
  const yoga = createServer({
    db: client,
    authenticate: createAuthenticate(client, settings.jwt),
    log,
    graphiql: settings.graphiql && { demoKey: undefined },
    refreshTimeoutMs: settings.refreshTimeoutMs,
    changes,
    async isReady() {
      if (stopping) return false
      try {
        return (await migrationDifference(client)).missing.length === 0
      } catch (error) {
        log.warn({ err: error }, 'not ready: the database does not answer')
        return false
      }
    },
  })
  const server = createHttpServer(yoga)
  server.listen(settings.port, settings.host)
  try {
    await once(server, 'listening')
  } catch (cause) {
    throw new StartError(`Cannot listen on ${settings.host} port ${settings.port}: ${cause instanceof Error ? cause.message : 'unknown'}`, { cause })
  }
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : settings.port
  process.stdout.write(`GraphQL and GraphiQL  http://${settings.host}:${port}${GRAPHQL_PATH}\n`)

  const signal = await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
  log.info({ signal: signal[0] }, 'stopping: requests in flight are finished')
  stopping = true
  const closed = once(server, 'close')
  server.close()
  server.closeIdleConnections()
  const deadline = setTimeout(() => server.closeAllConnections(), settings.shutdownTimeoutMs)
  await closed
  clearTimeout(deadline)
}
