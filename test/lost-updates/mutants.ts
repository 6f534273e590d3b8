// Servers that lose updates, and one that does not, for the check to tell apart.
import pg from 'pg'
import { z } from 'zod'
import type { Target } from './driver.js'
import type { Observation } from './history.js'
import type { Way } from './mutant-server.js'
import { post } from './post.js'
import { RestartableServer } from './server.js'

const ROWS = ['a', 'b', 'c', 'd']
const first: Observation = { version: 1, value: 0 }
const seen = z.object({ version: z.number(), value: z.number() })
const stored = z.array(z.object({ row: z.string(), last: seen, revisions: z.array(z.object({ version: z.number(), actor: z.string() })) }))

/** Starts one on an empty database. It has tables without the product's triggers, which would stop it. */
export async function startMutant(way: Way, url: string): Promise<Target> {
  const admin = new pg.Pool({ connectionString: url, max: 1 })
  admin.on('error', () => {})
  await admin.query('CREATE TABLE mutant (id text PRIMARY KEY, version int NOT NULL, value int NOT NULL)')
  await admin.query('CREATE TABLE mutant_revision (id text NOT NULL, version int NOT NULL, actor text NOT NULL)')
  for (const row of ROWS) {
    await admin.query('INSERT INTO mutant VALUES ($1, 1, 0)', [row])
    await admin.query(`INSERT INTO mutant_revision VALUES ($1, 1, 'nobody')`, [row])
  }
  const server = new RestartableServer(['--import', 'tsx', 'test/lost-updates/mutant-server.ts', way], { DATABASE_URL: url })
  await server.start()
  return {
    rows: ROWS,
    server,
    database: { url, application: 'mutant', revisions: 'mutant_revision', tables: ['mutant'] },
    actorOf: String,
    async write(client, row, expectedVersion, value) {
      const answer = await post(server.url, {}, { row, actor: String(client), write: { expectedVersion, value } })
      if (answer.status === 200) return { is: 'acknowledged', ...seen.parse(answer.body) }
      if (answer.status === 409) return { is: 'conflict', current: seen.parse(answer.body) }
      return { is: 'unknown', why: answer.why }
    },
    async read(client, row) {
      const answer = await post(server.url, {}, { row, actor: String(client), write: null })
      return answer.status === 200 ? seen.parse(answer.body) : undefined
    },
    async finals() {
      const { rows } = await admin.query(`
        SELECT m.id AS row, json_build_object('version', m.version, 'value', m.value) AS last, json_agg(r) AS revisions
        FROM mutant m JOIN mutant_revision r ON r.id = m.id GROUP BY m.id`)
      return stored.parse(rows).map((row) => ({ ...row, first }))
    },
    async close() {
      await server.kill()
      await admin.end()
    },
  }
}
