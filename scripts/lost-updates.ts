// The check of test/lost-updates for longer: `npm run check:lost-updates -- [--seconds N] [--seed N] [--clients N]`.
// Many clients write the same rows of the real server while it, its connections and its database
// fail. Prints the seed, and one line of JSON in the end; exits with 1 when an update was lost. It
// makes a PostgreSQL cluster of its own; where that is not possible, a database on DATABASE_URL.
import { randomBytes, randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { postgresPrograms, startCluster } from '../test/lost-updates/cluster.js'
import { makeDatabase } from '../test/lost-updates/database.js'
import { startGatewayTarget } from '../test/lost-updates/gateway.js'
import { runOn } from '../test/lost-updates/run.js'

const { values } = parseArgs({ options: { seconds: { type: 'string' }, seed: { type: 'string' }, clients: { type: 'string' } } })
const whole = (fallback: number) => z.coerce.number().int().min(1).default(fallback)
const options = z.object({ seconds: whole(300), seed: whole(randomInt(1, 2 ** 31)), clients: whole(16) }).parse(values)

const programs = await postgresPrograms()
const cluster = programs === undefined ? undefined : await startCluster(programs)
const server = cluster?.url ?? process.env['DATABASE_URL']
if (!server) throw new Error('Neither initdb and pg_ctl are here nor DATABASE_URL is set.')
process.stderr.write(`seed ${options.seed}${cluster ? '' : ', without crashes of the database'}\n`)
try {
  const database = await makeDatabase(server, `lost_updates_${randomBytes(6).toString('hex')}`)
  try {
    const target = await startGatewayTarget(database.url, options.clients)
    try {
      const { violations, figures } = await runOn(target, { ...options, cluster, onFault: (line) => process.stderr.write(`${line}\n`) })
      for (const { rule, row, detail } of violations.slice(0, 20)) process.stderr.write(`${row}: ${rule}: ${detail}\n`)
      process.stdout.write(`${JSON.stringify({ ...figures, clients: options.clients, violations: violations.length })}\n`)
      if (violations.length > 0) process.exitCode = 1
    } finally {
      await target.close()
    }
  } finally {
    await database.drop()
  }
} finally {
  await cluster?.remove()
}
