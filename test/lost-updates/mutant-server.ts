// A server of a single kind of row, as small as it can be, in three ways: one that is right, and
// two with the faults that the check is there to find. Started as a process: `mutant-server.ts WAY`.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import pg from 'pg'
import { z } from 'zod'

const ways = z.enum(['right', 'unconditional', 'late-revision'])
export type Way = z.output<typeof ways>

const message = z.object({ row: z.string(), actor: z.string(), write: z.object({ expectedVersion: z.number().nullable(), value: z.number() }).nullable() })
const aRow = z.object({ version: z.number(), value: z.number() })
type Row = z.output<typeof aRow>

const way = ways.parse(process.argv[2])
const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], application_name: 'mutant', max: 4, connectionTimeoutMillis: 1_000 })
pool.on('error', () => {})

async function read(client: pg.Pool | pg.PoolClient, row: string): Promise<Row> {
  const { rows } = await client.query('SELECT version, value FROM mutant WHERE id = $1', [row])
  return aRow.parse(rows[0])
}

/** The row as it was written, or as it is when it has another version than the expected one. */
async function write(client: pg.PoolClient, row: string, actor: string, value: number, expectedVersion: number | null): Promise<{ status: number; row: Row }> {
  for (;;) {
    const before = await read(client, row)
    if (before.version !== (expectedVersion ?? before.version)) return { status: 409, row: before }
    const after = { version: before.version + 1, value }
    const { rowCount } = await client.query(
      `UPDATE mutant SET version = $2, value = $3 WHERE id = $1 ${way === 'unconditional' ? '' : 'AND version = $2 - 1'}`,
      [row, after.version, value],
    )
    if (!rowCount) continue
    await client.query('INSERT INTO mutant_revision (id, version, actor) VALUES ($1, $2, $3)', [row, after.version, actor])
    return { status: 200, row: after }
  }
}

/** Everything in one transaction, except for the way that lets each statement commit by itself. */
async function transact<Result>(act: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
  const client = await pool.connect()
  client.on('error', () => {})
  let failed = true
  try {
    if (way !== 'late-revision') await client.query('BEGIN')
    const result = await act(client)
    if (way !== 'late-revision') await client.query('COMMIT')
    failed = false
    return result
  } finally {
    client.release(failed)
  }
}

const server = createServer((request, response) => {
  const answer = async () => {
    const { row, actor, write: change } = message.parse(await json(request))
    const result = change
      ? await transact((client) => write(client, row, actor, change.value, change.expectedVersion))
      : { status: 200, row: await read(pool, row) }
    response.writeHead(result.status, { 'content-type': 'application/json' }).end(JSON.stringify(result.row))
  }
  answer().catch(() => response.writeHead(500).end())
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
process.stdout.write(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}\n`)
