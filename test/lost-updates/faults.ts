// What goes wrong during a run. Each fault waits for the moment that it needs instead of for a time.
import pg from 'pg'
import { z } from 'zod'
import type { Cluster } from './cluster.js'
import type { Clients, Target } from './driver.js'

export interface Scene {
  target: Target
  clients: Clients
  /** Absent where the database is not the run's own to crash. */
  cluster: Cluster | undefined
}

export type Fault = (scene: Scene) => Promise<void>

/** The server dies and is started again. */
async function killServer({ target: { server }, clients }: Scene): Promise<void> {
  await clients.holding(async () => {
    await server.kill()
    await server.start()
  })
}

/**
 * The server dies, and its connections with it, while at least one of its writes waits to insert
 * its revision: whatever it has committed by then has none.
 */
async function killServerBeforeRevision({ target, clients }: Scene): Promise<void> {
  await clients.holding(async () => {
    await outside(target, async (client) => {
      await lockRevisions(client, target)
      await untilWaiting(client, target)
      await target.server.kill()
      await cutConnections(client, target)
    })
    await target.server.start()
  })
}

/** The database drops every connection of the server. */
async function cutAllConnections({ target }: Scene): Promise<void> {
  await outside(target, (client) => cutConnections(client, target))
}

/** The same, while at least one of its writes waits to insert its revision. */
async function cutConnectionsBeforeRevision({ target }: Scene): Promise<void> {
  await outside(target, async (client) => {
    await lockRevisions(client, target)
    await untilWaiting(client, target)
    await cutConnections(client, target)
  })
}

/** The database dies and recovers; the server has to find it again by itself. */
async function crashDatabase({ clients, cluster }: Scene): Promise<void> {
  if (!cluster) throw new Error('There is no cluster to crash.')
  await clients.holding(async () => {
    await cluster.crash()
    await cluster.start()
  })
}

/**
 * Somebody who has locked the revisions wants a row that a write has changed: a deadlock. Whose
 * deadlock_timeout ends first is ended; here it is the write.
 */
async function deadlockThatWritesLose({ target }: Scene): Promise<void> {
  await deadlockThatOthersLose(target, async (client) => {
    await lockRevisions(client, target)
    await lockRowOfWaitingWrite(client, target)
  })
}

/**
 * Repeats a deadlock until it is the other one who is ended. A backend looks for a deadlock once in a
 * wait, after the server's deadlock_timeout; one that has looked before there was one never will, and
 * this one is ended in its place.
 */
async function deadlockThatOthersLose(target: Target, act: (client: pg.Client) => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await outside(target, async (client) => {
        await client.query(`SET LOCAL deadlock_timeout = '3s'`)
        await act(client)
      })
    } catch (error) {
      if (!isDeadlock(error)) throw error
    }
  }
}

function isDeadlock(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '40P01'
}

/** The same, but it is the other one who is ended. */
async function deadlockThatWritesWin({ target }: Scene): Promise<void> {
  await outside(target, async (client) => {
    await client.query(`SET LOCAL deadlock_timeout = '10ms'`)
    await lockRevisions(client, target)
    await lockRowOfWaitingWrite(client, target).catch((error: unknown) => {
      if (!isDeadlock(error)) throw error
    })
  })
}

/** A transaction of the server that locks rows one after the other meets one that locks them the other way round. */
async function deadlockWithBatch({ target }: Scene): Promise<void> {
  const { batch } = target.database
  if (!batch) throw new Error('The server has no transaction that locks many rows.')
  await deadlockThatOthersLose(target, async (client) => {
    await client.query(`SELECT 1 FROM ${batch.table} WHERE id = $1 FOR UPDATE`, [batch.last])
    await untilWaiting(client, target, batch.lockedBy)
    await client.query(`SELECT 1 FROM ${batch.table} WHERE id = $1 FOR UPDATE`, [batch.first])
  })
}

/** Connections that hang on locked rows until the server has none left and a request fails for want of one. */
async function exhaustPool({ target, clients }: Scene): Promise<void> {
  await clients.holding(() =>
    outside(target, async (client) => {
      await lockRows(client, target)
      const failed = (counts: Clients['counts']) => counts.failed + counts.unknown + counts.failedReads
      const before = failed(clients.counts)
      await clients.until(() => failed(clients.counts) > before, 'a request without a connection')
    }),
  )
}

/** The faults that can happen to a target here, by name. */
export function faultsOf({ target, cluster }: Pick<Scene, 'target' | 'cluster'>): Map<string, Fault> {
  return new Map(
    Object.entries({
      killServer,
      killServerBeforeRevision,
      cutAllConnections,
      cutConnectionsBeforeRevision,
      deadlockThatWritesLose,
      deadlockThatWritesWin,
      exhaustPool,
      ...(target.database.batch && { deadlockWithBatch }),
      ...(cluster && { crashDatabase }),
    }),
  )
}

/* ---- what faults are made of ---------------------------------------------------------------------- */

/** Lets `act` work in a transaction of its own that changes nothing; its locks end with it. */
async function outside(target: Target, act: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: target.database.url, application_name: 'lost-updates faults' })
  await client.connect()
  try {
    await client.query('BEGIN')
    await act(client)
    await client.query('ROLLBACK')
  } finally {
    await client.end()
  }
}

/** From here on no write can insert its revision. */
async function lockRevisions(client: pg.Client, { database }: Target): Promise<void> {
  await client.query(`LOCK TABLE ${database.revisions} IN SHARE ROW EXCLUSIVE MODE`)
}

async function lockRows(client: pg.Client, { database }: Target): Promise<void> {
  for (const table of database.tables) await client.query(`SELECT 1 FROM ${table} ORDER BY id FOR UPDATE`)
}

/** While the revisions are locked: waits for a row that a write of the server has changed already, and then for its lock. */
async function lockRowOfWaitingWrite(client: pg.Client, target: Target): Promise<void> {
  for (;;) {
    await untilWaiting(client, target)
    for (const table of target.database.tables) {
      const { rows } = await client.query(
        `SELECT id FROM ${table} WHERE id NOT IN (SELECT id FROM (SELECT id FROM ${table} FOR UPDATE SKIP LOCKED) AS free) LIMIT 1`,
      )
      const [locked] = z.array(z.object({ id: z.string() })).parse(rows)
      if (!locked) continue
      await client.query(`SELECT 1 FROM ${table} WHERE id = $1 FOR UPDATE`, [locked.id])
      return
    }
  }
}

/** Asks until a statement of the server that contains `part` waits for a lock. */
async function untilWaiting(client: pg.Client, { database }: Target, part = ''): Promise<void> {
  const deadline = performance.now() + 30_000
  while (performance.now() < deadline) {
    // The view is of one moment for a whole transaction unless it is told otherwise.
    await client.query('SELECT pg_stat_clear_snapshot(), pg_sleep(0.005)')
    const { rowCount } = await client.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND starts_with(application_name, $1)
         AND wait_event_type = 'Lock' AND strpos(query, $2) > 0`,
      [database.application, part],
    )
    if (rowCount) return
  }
  throw new Error('No statement of the server came to wait for a lock.')
}

async function cutConnections(client: pg.Client, { database }: Target): Promise<void> {
  await client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND starts_with(application_name, $1) AND pid <> pg_backend_pid()`,
    [database.application],
  )
}
