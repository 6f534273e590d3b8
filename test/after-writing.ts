// Gateways that something happens to at a chosen moment of a write, and what can go wrong then.
import pg from 'pg'
import { expect, inject } from 'vitest'
import { createAuthenticate } from '../src/server/authentication.js'
import { type Database, openDatabase } from '../src/database/client.js'
import type { PrismaClient } from '../src/generated/prisma/client.js'
import { currentScope, type RequestScope, runOutsideOfRequests } from '../src/request-scope/request-scope.js'
import { createServer } from '../src/server/server.js'
import { database, dependencies, storeOf } from './gateway.js'

const place = inject('database')

/** How versioned rows are written: by one statement, or by a transaction. */
const writing = new Set(['createManyAndReturn', 'updateManyAndReturn', '$transaction'])

/** What happens to a request when its store is asked to write, when that is committed, and when the store is asked for anything else. */
export interface Moments {
  writing?(scope: RequestScope): unknown
  written?(scope: RequestScope): unknown
  reading?(scope: RequestScope): unknown
}

/** A store that is the same as `store` but for what happens at some moments. */
function storeWith(store: PrismaClient, moments: Moments): PrismaClient {
  const tell = async (moment: keyof Moments) => {
    const scope = currentScope()
    if (scope) await moments[moment]?.(scope)
  }
  const around = (target: object, name: string, method: () => unknown) => async (...args: unknown[]) => {
    await tell(writing.has(name) ? 'writing' : 'reading')
    const result: unknown = await Reflect.apply(method, target, args)
    if (writing.has(name)) await tell('written')
    return result
  }
  const told = <Target extends object>(target: Target): Target =>
    new Proxy(target, {
      get(it, name): unknown {
        const value: unknown = Reflect.get(it, name)
        if (typeof name === 'symbol') return value
        if (isMethod(value)) return around(it, name, value)
        return typeof value === 'object' && value !== null && /^[a-z]/.test(name) ? told(value) : value
      },
    })
  return told(store)
}

function isMethod(value: unknown): value is () => unknown {
  return typeof value === 'function'
}

/** A gateway that has these connections to the run's database. */
export function gatewayWith(connections: Database, moments: Moments = {}) {
  return createServer({
    ...dependencies,
    store: storeWith(storeOf(connections), moments),
    // By other connections, so that nothing but an operation can lack one.
    authenticate: createAuthenticate(database.statements, undefined),
  })
}

/**
 * Lets `use` work with a pool of one connection: a new one on PostgreSQL; the embedded database has one only.
 *
 * @param poolTimeoutMs How long PostgreSQL's is waited for.
 */
export async function withOneConnection(use: (connections: Database) => Promise<void>, poolTimeoutMs = 1_000): Promise<void> {
  if (!('url' in place)) return use(database)
  const connections = await openDatabase({ ...place, poolSize: 1, poolTimeoutMs })
  await use(connections).finally(() => connections.close())
}

/** Takes a connection from everybody else until `release`. */
export async function takeConnection({ pool }: Database): Promise<{ release(): void }> {
  const taken = await runOutsideOfRequests(() => pool.connect())
  return { release: () => taken.release() }
}

/* ---- what can go wrong ------------------------------------------------------------------------- */

/** Something that goes wrong while a request writes, or after that. */
interface Fault {
  moments: Moments
  /** To be awaited while the request waits for its answer. */
  meanwhile?(): Promise<void>
  /** To be called in the end. */
  clear?(): Promise<void> | void
}

/** What can go wrong once a write is committed, by what it is. The embedded database cannot show all of it: it has one connection, which is never cut. */
export const afterWriting: Record<string, { onlyPostgres?: true; fault(connections: Database): Fault }> = {
  'an unexpected error': {
    fault() {
      let isWritten = false
      return {
        moments: {
          written: () => (isWritten = true),
          reading() {
            if (isWritten) throw new Error('Nothing can be read.')
          },
        },
      }
    },
  },
  'no connection': {
    onlyPostgres: true,
    fault(connections) {
      const taken: { release(): void }[] = []
      return {
        moments: { written: async () => void taken.push(await takeConnection(connections)) },
        clear: () => taken.forEach((it) => it.release()),
      }
    },
  },
  'the deadline': {
    fault(connections) {
      const taken: { release(): void }[] = []
      return {
        moments: {
          async written(scope) {
            taken.push(await takeConnection(connections))
            scope.prolongDeadline(0)
          },
        },
        clear: () => taken.forEach((it) => it.release()),
      }
    },
  },
  'a connection that is cut': {
    onlyPostgres: true,
    fault(connections) {
      const outside = new pg.Client({ connectionString: 'url' in place ? place.url : '' })
      let pid = 0
      return {
        moments: {
          async written() {
            await outside.connect()
            await outside.query('BEGIN')
            await outside.query('LOCK TABLE "Revision" IN ACCESS EXCLUSIVE MODE')
            const [backend] = await runOutsideOfRequests(() => connections.statements.rows<{ pid: number }>('SELECT pg_backend_pid() AS pid', []))
            pid = backend?.pid ?? 0
          },
        },
        async meanwhile() {
          const cut = async () => (pid === 0 ? 0 : (await outside.query(CUT_WHEN_BLOCKED, [pid])).rowCount)
          await expect.poll(cut, { timeout: 20_000 }).toBe(1)
        },
        clear: () => outside.end(),
      }
    },
  },
}

const CUT_WHEN_BLOCKED = 'SELECT pg_terminate_backend($1) WHERE cardinality(pg_blocking_pids($1)) > 0'
