// Lost updates, looked for in what many clients see of the real server while it, its connections
// and its database fail; and in two servers that do lose some, so that the check is known to find them.
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { afterTest } from '../gateway-process.js'
import { type Cluster, postgresPrograms, startCluster } from './cluster.js'
import { makeDatabase } from './database.js'
import { startGatewayTarget } from './gateway.js'
import { startMutant } from './mutants.js'
import { runOn } from './run.js'

const place = inject('database')
const programs = 'url' in place ? await postgresPrograms() : undefined
const CLIENTS = 12
const SEED = 20_261_121

describe.runIf('url' in place)('under faults', () => {
  let cluster: Cluster | undefined
  beforeAll(async () => {
    if (programs) cluster = await startCluster(programs)
  })
  afterAll(() => cluster?.remove())

  /** A new database: in the run's own cluster, which may crash, or where it has none on the PostgreSQL of the suite. */
  async function ownDatabase(): Promise<string> {
    const server = cluster?.url ?? ('url' in place ? place.url : '')
    const database = await makeDatabase(server, `lost_updates_${randomBytes(6).toString('hex')}`)
    afterTest(() => database.drop())
    return database.url
  }

  const faults = programs ? 'with every fault' : 'with every fault but a crash of the database, as there is no initdb and pg_ctl'
  test(`the gateway loses no update ${faults}`, { timeout: 180_000 }, async () => {
    const target = await startGatewayTarget(await ownDatabase(), CLIENTS)
    afterTest(() => target.close())
    const { violations, figures } = await runOn(target, { clients: CLIENTS, seed: SEED, seconds: 0, cluster })
    expect(violations).toEqual([])
    // Otherwise nothing was put to the test.
    expect(figures.acknowledged).toBeGreaterThan(150)
    expect(figures.conflicts).toBeGreaterThan(50)
    expect(figures.unknown).toBeGreaterThan(5)
    expect(Object.keys(figures.faults)).toHaveLength(programs ? 9 : 8)
  })

  async function verdictOn(way: Parameters<typeof startMutant>[0], faults: string[]): Promise<string[]> {
    const target = await startMutant(way, await ownDatabase())
    afterTest(() => target.close())
    const { violations } = await runOn(target, { clients: CLIENTS, seed: SEED, seconds: 0, only: faults })
    return [...new Set(violations.map(({ rule }) => rule))]
  }

  test('a small server that does it right passes', async () => {
    expect(await verdictOn('right', ['killServerBeforeRevision', 'cutConnectionsBeforeRevision', 'deadlockThatWritesLose'])).toEqual([])
  })

  test('one that writes what it has read without a condition is found out, with no fault at all', async () => {
    expect(await verdictOn('unconditional', [])).toEqual(expect.arrayContaining(['two values at one version', 'revisions are not the versions']))
  })

  test.each(['killServerBeforeRevision', 'cutConnectionsBeforeRevision'])('one that adds the revision later is found out by %s', async (fault) => {
    expect(await verdictOn('late-revision', [fault])).toContain('revisions are not the versions')
  })
})
