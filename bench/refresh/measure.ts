// W8: a refresh of a whole organisation, by the gateway and by a script of SQL on a copy of its
// database. Before each round the bank is revised in both, so that every assessment has something
// to be done; after it both must have stored the same.
import { readFile } from 'node:fs/promises'
import pg from 'pg'
import { z } from 'zod'
import { copyPostgres, dropPostgres, preparePostgres, vacuum } from '../data.js'
import { Connections, peakMemory } from '../measure.js'
import { ours, type RunningServer, start } from '../servers.js'
import { startCounter } from '../statements.js'

export const w8 = { name: 'W8', title: 'refreshAssessments beside a script of SQL' }

export interface RefreshFigures {
  assessments: number
  /** Seconds of the mutation from request to answer, one figure a round. */
  ours: number[]
  /** Seconds of the script, from sending it to the end of its transaction. */
  sql: number[]
  statements: { ours: number; sql: number }
  /** The most memory that the gateway's process has held, in MiB. */
  peakMemory: number
}

interface Outcome {
  seconds: number
  /** How many assessments. */
  updated: number
}

interface ScriptOutcome extends Outcome {
  statements: number
}

const DATABASE = 'assessment_gateway_bench_refresh'
const COPY = `${DATABASE}_sql`

const BODY = JSON.stringify({
  query: 'mutation { refreshAssessments { __typename ... on RefreshAssessmentsSuccess { assessmentsUpdated details { status } } } }',
})
const answered = z.object({
  data: z.object({ refreshAssessments: z.object({ assessmentsUpdated: z.number(), details: z.array(z.object({ status: z.string() })) }) }),
})
/** One for each statement of the script. */
const executed = z.array(z.object({ command: z.string(), rowCount: z.number().nullable() }))
const state = z.array(z.object({ id: z.string(), version: z.number(), digest: z.string() }))

/** @param assessments how many to refresh, a multiple of 100 */
export async function measureRefresh(server: string, assessments: number, rounds: number, say: (line: string) => void): Promise<RefreshFigures> {
  const script = await read('refresh.sql')
  const bank = await read('bank.sql')
  let round = 0

  /** Both from the same state. They take turns in being first, as the second finds the machine otherwise. */
  async function measureBoth(gateway: RunningServer, urls: { ours: string; sql: string }): Promise<{ ours: Outcome; sql: ScriptOutcome }> {
    round += 1
    for (const url of Object.values(urls)) {
      await query(url, bank.replaceAll('ROUND', String(round)))
      await vacuum(url)
    }
    const before = await stateOf(urls.sql)
    const early = round % 2 === 0 ? await byScript(urls.sql, script) : null
    const byOurs = await byGateway(gateway)
    const sql = early ?? (await byScript(urls.sql, script))
    const after = { ours: await stateOf(urls.ours), sql: await stateOf(urls.sql) }
    checkEqual(before, after.ours, after.sql)
    if (byOurs.updated !== before.length || sql.updated !== before.length) {
      throw new Error(`${w8.name}: of ${before.length} assessments the gateway has updated ${byOurs.updated} and the script ${sql.updated}.`)
    }
    return { ours: byOurs, sql }
  }

  try {
    say(`${w8.name}: data`)
    const { url, rows } = await preparePostgres(server, DATABASE, false, assessments)
    // Completed ones would be skipped.
    await query(url, `UPDATE "Assessment" SET "status" = 'DRAFT', "overallRiskScore" = NULL, "overallRiskLevel" = NULL, "version" = "version" + 1 WHERE "status" = 'COMPLETE'`)
    const urls = { ours: url, sql: await copyPostgres(server, DATABASE, COPY) }

    const counter = await startCounter(url)
    const counted = await start(ours, { rows, env: { DATABASE_URL: counter.url } })
    const counts = { ours: 0, sql: 0 }
    try {
      const begun = counter.statements
      counts.sql = (await measureBoth(counted, urls)).sql.statements
      counts.ours = counter.statements - begun
    } finally {
      await counted.stop()
      counter.close()
    }

    const gateway = await start(ours, { rows, env: { DATABASE_URL: url } })
    try {
      const figures: RefreshFigures = { assessments, ours: [], sql: [], statements: counts, peakMemory: 0 }
      // The first round warms up and is not kept.
      await measureBoth(gateway, urls)
      for (let kept = 1; kept <= rounds; kept += 1) {
        const taken = await measureBoth(gateway, urls)
        figures.ours.push(taken.ours.seconds)
        figures.sql.push(taken.sql.seconds)
        say(`${w8.name} round ${kept}: ours ${taken.ours.seconds.toFixed(2)} s, SQL ${taken.sql.seconds.toFixed(2)} s`)
      }
      return { ...figures, peakMemory: peakMemory(gateway.pid) }
    } finally {
      await gateway.stop()
    }
  } finally {
    await dropPostgres(server, [DATABASE, COPY])
  }
}

async function byGateway(gateway: RunningServer): Promise<Outcome> {
  const connections = new Connections(gateway, 1)
  const begin = performance.now()
  const answer = await connections.send(0, BODY)
  const seconds = (performance.now() - begin) / 1000
  await connections.close()
  const { details } = answered.parse(JSON.parse(answer.toString('utf8'))).data.refreshAssessments
  return { seconds, updated: details.filter(({ status }) => status === 'UPDATED').length }
}

async function byScript(url: string, script: string): Promise<ScriptOutcome> {
  const { seconds, result } = await query(url, script)
  const statements = executed.parse(result)
  return { seconds, updated: statements.find(({ command }) => command === 'UPDATE')?.rowCount ?? 0, statements: statements.length }
}

/** On a connection of its own, whose making is not timed; some statements in one text come to a list of results. */
async function query(url: string, text: string): Promise<{ seconds: number; result: unknown }> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const begin = performance.now()
  try {
    const result: unknown = await client.query(text)
    return { seconds: (performance.now() - begin) / 1000, result }
  } finally {
    await client.end()
  }
}

async function stateOf(url: string): Promise<z.output<typeof state>> {
  return z.object({ rows: state }).parse((await query(url, await read('state.sql'))).result).rows
}

/** @throws Error when an assessment is not one version further, or when the two have stored other things of it. */
function checkEqual(before: z.output<typeof state>, ours: z.output<typeof state>, sql: z.output<typeof state>): void {
  before.forEach(({ id, version }, index) => {
    const rows = [ours[index], sql[index]]
    if (rows.some((row) => row?.id !== id || row.version !== version + 1)) throw new Error(`${w8.name}: assessment ${id} was not raised by one version.`)
    if (rows[0]?.digest !== rows[1]?.digest) throw new Error(`${w8.name}: gateway and script have stored other things of assessment ${id}.`)
  })
}

function read(file: string): Promise<string> {
  return readFile(new URL(file, import.meta.url), 'utf8')
}
