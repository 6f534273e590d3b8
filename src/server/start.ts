import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as after } from 'node:timers/promises'
import { GraphQLError } from 'graphql'
import type { Pool } from 'pg'
import pino from 'pino'
import { type ChangeSignals, LocalChangeSignals, PostgresChangeSignals } from '../database/change-signals.js'
import type { Database } from '../database/client.js'
import { migrationDifference } from '../database/migrations.js'
import { type DatabaseSettings, prepare, withDatabase } from '../database/with-database.js'
import { seedWhenEmpty } from '../demo/data.js'
import { type DemoKey, keptDemoKeys, showDemoKeys } from '../demo/keys.js'
import { usePlannedExecution } from '../executor/index.js'
import { observe, type ObservationSettings } from '../observability/observe.js'
import type { RequestObserver } from '../observability/request-observer.js'
import { createStore } from '../sql-store/index.js'
import { createAuthenticate } from './authentication.js'
import { readPersistedDocuments } from './guards/persisted-documents.js'
import { type HttpServerOptions, serveHttp } from './http/http-server.js'
import { isLoopback } from './http/loopback.js'
import type { Limits } from './pipeline.js'
import { createServer, GRAPHQL_PATH } from './server.js'
import type { JwtSettings } from './tokens.js'

export interface StartSettings extends DatabaseSettings, ObservationSettings, HttpServerOptions {
  production: boolean
  /** How long the server goes on after SIGTERM with /ready at 503, in milliseconds, so that load balancers send nothing more when it stops. */
  shutdownDelayMs: number
  logLevel: string
  limits: Limits
  graphiql: boolean
  introspection: boolean
  corsOrigins: string[]
  /** The file of documents that clients may name by their hash, and whether every other document is refused. */
  persistedDocuments: { file: string; only: boolean } | undefined
  jwt: JwtSettings | undefined
}

/** Runs the gateway until SIGTERM or SIGINT. */
export async function start(settings: StartSettings): Promise<void> {
  // The log goes to standard error: standard output is for the demo keys and the address.
  const log = pino({ level: settings.logLevel }, pino.destination(2))
  hearUnheardPromises(log)
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

/**
 * Keeps the process alive when a promise is rejected and nobody hears it, which would end it. GraphQL's executors leave such promises where
 * several values of one list fail: the answer has one error for all. Their number depends on the document, so they are told at level debug.
 */
function hearUnheardPromises(log: pino.Logger): void {
  process.on('unhandledRejection', (error) => {
    if (error instanceof GraphQLError) log.debug({ err: error }, 'an error that no answer tells of')
    else log.error({ err: error, errorId: randomUUID() }, 'unexpected error')
  })
}

/** Whether to make demo data and demo keys. The keys have all scopes, so only a server that no other machine can reach has them. */
function isForDemo({ production, host }: StartSettings, { embedded }: Database): boolean {
  return embedded && !production && isLoopback(host)
}

async function prepareDemo({ dataDirectory }: StartSettings, { client }: Database): Promise<DemoKey[]> {
  await seedWhenEmpty(client)
  return keptDemoKeys(client, dataDirectory)
}

async function serve(settings: StartSettings, { client, pool, statements }: Database, demoKeys: DemoKey[], observers: RequestObserver[], log: pino.Logger): Promise<void> {
  const { persistedDocuments, graphiql, jwt } = settings
  let stopping = false
  const changes = await openChangeSignals(settings, pool, log)
  const isMigrated = readinessProbe(client, log)
  const gateway = createServer({
    // Both are optimisations: with `client` as the store, or without `execution`, responses are the same but slower.
    store: createStore(client, statements),
    execution: usePlannedExecution(),
    authenticate: createAuthenticate(statements, jwt && { ...jwt, log }),
    log,
    graphiql: graphiql && { demoKey: demoKeys[0]?.key },
    limits: settings.limits,
    introspection: settings.introspection,
    corsOrigins: settings.corsOrigins,
    changes,
    observers,
    onlyLoopback: demoKeys.length > 0,
    ...(persistedDocuments && { persistedDocuments: await readPersistedDocuments(persistedDocuments.file, persistedDocuments.only) }),
    isReady: async () => !stopping && (await isMigrated()),
  })
  const server = await serveHttp(gateway.listener, log, settings)
  showDemoKeys(demoKeys)
  process.stdout.write(`GraphQL and GraphiQL  ${server.origin}${GRAPHQL_PATH}\n`)

  const signal = await signalled()
  stopping = true
  if (signal === 'SIGTERM' && settings.shutdownDelayMs > 0) {
    log.info({ signal }, 'stopping soon: /ready is 503')
    await Promise.race([after(settings.shutdownDelayMs), signalled()])
  }
  log.info({ signal }, 'stopping: requests in flight are finished')
  await server.close()
  await changes.close()
  await gateway.dispose()
}

/** Resolves with the name of the next signal to stop. */
function signalled(): Promise<NodeJS.Signals> {
  const signals: NodeJS.Signals[] = ['SIGTERM', 'SIGINT']
  return Promise.race(signals.map((signal) => once(process, signal).then(() => signal)))
}

const READINESS_CACHE_MS = 1_000

/** Whether the database answers and is migrated. /ready needs no credential, so the database is asked once a second at most. */
function readinessProbe(client: Database['client'], log: pino.Logger): () => Promise<boolean> {
  let last: { at: number; answer: Promise<boolean> } | undefined
  const look = async () => {
    try {
      // A row that requests read too, as Prisma reads it.
      await client.organisation.findFirst({ select: { id: true } })
      return (await migrationDifference(client)).missing.length === 0
    } catch (error) {
      log.warn({ err: error }, 'not ready: the database does not answer')
      return false
    }
  }
  return () => {
    if (!last || performance.now() - last.at >= READINESS_CACHE_MS) last = { at: performance.now(), answer: look() }
    return last.answer
  }
}

async function openChangeSignals({ databaseUrl }: StartSettings, pool: Pool, log: pino.Logger): Promise<ChangeSignals> {
  if (databaseUrl === undefined) return new LocalChangeSignals()
  const changes = new PostgresChangeSignals(databaseUrl, pool, log)
  await changes.listen()
  return changes
}
