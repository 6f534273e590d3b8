import { createServer as createHttpServer, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Pool } from 'pg'
import pino from 'pino'
import { createAuthenticate } from './auth.js'
import type { Database } from './database.js'
import { fillWhenEmpty } from './demo-data.js'
import { type DemoKey, keptDemoKeys, showDemoKeys } from './demo-keys.js'
import type { RequestObserver } from './http/request-observer.js'
import { listen } from './listen.js'
import { migrationDifference } from './migrations.js'
import { observe } from './observability/observe.js'
import { readPersistedDocuments } from './persisted-documents.js'
import { prepare, withDatabase } from './prepared-database.js'
import { createServer, GRAPHQL_PATH } from './server.js'
import { readSettings, type Settings } from './settings.js'
import { type Changes, LocalChanges, PostgresChanges } from './shared/changes.js'

/** Runs the gateway until SIGTERM or SIGINT. */
export async function start(env: NodeJS.ProcessEnv): Promise<void> {
  const settings = readSettings(env)
  // Standard output is for the demo keys and the address; logs go to standard error.
  const log = pino({ level: settings.logLevel }, pino.destination(2))
  const run = async (database: Database) => {
    await prepare(database)
    const demoKeys = isForDemo(settings, database) ? await prepareDemo(settings, database) : []
    const { observers, close } = await observe(settings, database, log)
    try {
      await serve(settings, database, demoKeys, observers, log)
    } finally {
      await close()
    }
  }
  await withDatabase(settings, run, settings.limits.operationTimeoutMs)
}

/** Whether demo keys, which may do everything, stay with the person at this machine. */
function isForDemo({ production, host }: Settings, { embedded }: Database): boolean {
  const isLoopback = host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
  return embedded && !production && isLoopback
}

async function prepareDemo({ dataDirectory }: Settings, { client }: Database): Promise<DemoKey[]> {
  await fillWhenEmpty(client)
  return keptDemoKeys(client, dataDirectory)
}

async function serve(settings: Settings, { client, pool, statements }: Database, demoKeys: DemoKey[], observers: RequestObserver[], log: pino.Logger): Promise<void> {
  let stopping = false
  const changes = await openChanges(settings, pool, log)
  const isMigrated = migrationWatch(client, log)
  const gateway = createServer({
    db: client,
    statements,
    authenticate: createAuthenticate(statements, settings.jwt),
    log,
    graphiql: settings.graphiql && { demoKey: demoKeys[0]?.key },
    limits: settings.limits,
    introspection: settings.introspection,
    corsOrigins: settings.corsOrigins,
    changes,
    observers,
    persistedDocuments:
      settings.persistedDocuments && (await readPersistedDocuments(settings.persistedDocuments.file, settings.persistedDocuments.only)),
    isReady: async () => !stopping && (await isMigrated()),
  })
  // By connection, as a set that each response is added to and deleted from keeps its former tables, and with them
  // what they held, alive until the whole heap is collected. Several where a client sends on before it is answered.
  const open = new Map<Socket, ServerResponse[]>()
  // Joined, two Authorization headers are no credential; Node would drop the second one unseen.
  const server = createHttpServer({ joinDuplicateHeaders: true }, (request, response) => {
    const { socket } = request
    const before = open.get(socket)
    if (!before) socket.once('close', () => open.delete(socket))
    open.set(socket, [...(before ?? []).filter((it) => !it.writableFinished), response])
    // A client that goes on asking over a connection it keeps would hold the process up.
    if (stopping) response.setHeader('connection', 'close')
    return gateway.listener(request, response)
  })
  const port = await listen(server, settings.host, settings.port)
  showDemoKeys(demoKeys)
  process.stdout.write(`GraphQL and GraphiQL  http://${settings.host}:${port}${GRAPHQL_PATH}\n`)

  const signal = await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
  log.info({ signal: signal[0] }, 'stopping: requests in flight are finished')
  stopping = true
  const closed = once(server, 'close')
  server.close()
  server.closeIdleConnections()
  for (const responses of open.values()) {
    for (const response of responses) {
      const isLast = response === responses.at(-1)
      if (response.headersSent) endStream(response, isLast)
      else if (isLast) response.setHeader('connection', 'close')
    }
  }
  const deadline = setTimeout(() => server.closeAllConnections(), settings.shutdownTimeoutMs)
  await closed
  clearTimeout(deadline)
  await changes.close()
  await gateway.dispose()
}

const LOOK_AGAIN_MS = 1_000

/** Whether the database answers and is migrated. Anybody may ask, so that it is looked at once a second at most. */
function migrationWatch(client: Database['client'], log: pino.Logger): () => Promise<boolean> {
  let last: { at: number; answer: Promise<boolean> } | undefined
  const look = async () => {
    try {
      return (await migrationDifference(client)).missing.length === 0
    } catch (error) {
      log.warn({ err: error }, 'not ready: the database does not answer')
      return false
    }
  }
  return () => {
    if (!last || performance.now() - last.at >= LOOK_AGAIN_MS) last = { at: performance.now(), answer: look() }
    return last.answer
  }
}

/** Only a subscription is still being written; it never finishes by itself, and its client subscribes again elsewhere. */
function endStream(response: ServerResponse, isLast: boolean): void {
  if (response.writableEnded) return
  const { socket } = response
  response.end(() => {
    if (isLast) socket?.end()
  })
}

async function openChanges({ databaseUrl }: Settings, pool: Pool, log: pino.Logger): Promise<Changes> {
  if (databaseUrl === undefined) return new LocalChanges()
  const changes = new PostgresChanges(databaseUrl, pool, log)
  await changes.listen()
  return changes
}
