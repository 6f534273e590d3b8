// The gateway as tests use it: the real server over the run's database, without a port.
import { setImmediate as turn } from 'node:timers/promises'
import { inject } from 'vitest'
import pino from 'pino'
import { z } from 'zod'
import { createAuthenticate } from '../src/server/authentication.js'
import { type Database, openDatabase } from '../src/database/client.js'
import { usePlannedExecution } from '../src/executor/index.js'
import { createServer, type ServerDependencies } from '../src/server/server.js'
import { readSettings } from '../src/settings.js'
import { createStore } from '../src/sql-store/index.js'

const place = inject('database')
export const database = await openDatabase('url' in place ? { ...place, poolSize: 20, poolTimeoutMs: 20_000 } : { socketDirectory: ownOf(place.socketDirectories) })
export const db = database.client

/** Engines that this run does without, which must make no difference but in time. */
const without = z.array(z.enum(['executor', 'sql-store'])).parse(process.env['WITHOUT']?.split(',') ?? [])
/** The models over the connections of a database, by the engine unless this run does without it. */
export const storeOf = ({ client, statements }: Database) => (without.includes('sql-store') ? client : createStore(client, statements))
export const store = storeOf(database)

/** What the server logged, line by line. */
export const logged: string[] = []
export const log = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) })

/** As they are unless a setting says otherwise. */
export const { limits } = readSettings({})

/** What the tests' server is made of; a test that needs another one changes some of it. */
export const dependencies: ServerDependencies = {
  store,
  ...(without.includes('executor') ? {} : { execution: usePlannedExecution() }),
  authenticate: createAuthenticate(database.statements, undefined),
  log,
  isReady: () => Promise.resolve(true),
  graphiql: { demoKey: undefined },
  // Tests ask for more at once than a client would.
  limits: { ...limits, cost: 1_000_000_000 },
  introspection: true,
  corsOrigins: [],
}
export const gateway = createServer(dependencies)

/** That of this worker; workers count from 1. */
function ownOf(socketDirectories: string[]): string {
  const own = socketDirectories[Number(process.env['VITEST_POOL_ID']) - 1]
  if (own === undefined) throw new Error('There are more workers than embedded databases.')
  return own
}

/* ---- requests ---------------------------------------------------------------------------------- */

/** The body of an answer in JSON. */
export const answer = z.object({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z
    .array(
      z.object({
        message: z.string(),
        path: z.array(z.union([z.string(), z.number()])).optional(),
        extensions: z.record(z.string(), z.unknown()).optional(),
      }),
    )
    .optional(),
})
export type Answer = z.output<typeof answer>

/** Resolves when no statement is executed and none waits, for some turns of the event loop. */
export async function idle(): Promise<void> {
  const { pool } = database
  for (let turns = 0; turns < 5; turns = pool.idleCount === pool.totalCount && pool.waiting === 0 ? turns + 1 : 0) await turn()
}

/** Sends a GraphQL request with the given headers: the HTTP response. */
export function post(headers: Record<string, string>, query: string, variables?: object, server: Pick<typeof gateway, 'fetch'> = gateway): Promise<Response> {
  return Promise.resolve(
    server.fetch('http://gateway.test/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query, variables }),
    }),
  )
}

/** The body of a response, but for what it tells beside data and errors. */
export async function bodyOf(response: Response): Promise<unknown> {
  const { extensions: _, ...body } = z.looseObject({}).parse(await response.json())
  return body
}

/** Sends a GraphQL request with an API key: data and errors. */
export async function request(key: string, query: string, variables?: object): Promise<Answer> {
  const response = await post({ apikey: key }, query, variables)
  return answer.parse(await response.json())
}

/**
 * Like `request`, for a request that must succeed.
 *
 * @returns `data`, typed by the caller's schema
 */
export async function dataOf<Schema extends z.ZodType>(
  schema: Schema,
  key: string,
  query: string,
  variables?: object,
): Promise<z.output<Schema>> {
  const { data, errors } = await request(key, query, variables)
  if (errors) throw new Error(`${query}\nanswered ${JSON.stringify(errors, null, 2)}\n${logged.slice(-3).join('')}`)
  const parsed = schema.safeParse(data)
  if (!parsed.success) throw new Error(`${query}\nanswered ${JSON.stringify(data, null, 2)}\n${parsed.error.message}`)
  return parsed.data
}

/* ---- counting SQL ------------------------------------------------------------------------------ */

let recorder: string[] | null = null
database.onQuery((sql) => recorder?.push(sql))

/** The SQL statements that `run` sends. Nothing else in the process may use the database meanwhile. */
export async function statementsOf(run: () => Promise<unknown>): Promise<string[]> {
  const statements: string[] = []
  recorder = statements
  try {
    await run()
  } finally {
    recorder = null
  }
  return statements
}
