// Sends the dearest operations that the gateway accepts: `npm run attack -- [--seconds N] [--clients N] [--only FIELD]`. For every root
// field of the schema it looks for documents and arguments that cost the most of time, memory and bytes, and prints for each what it costs
// and what another tenant feels, alone and while several clients send it again and again. It makes a database of its own on DATABASE_URL,
// and listens on loopback. Exits with 1 when one of them takes more than what MAXIMA says.
import { randomBytes } from 'node:crypto'
import { setTimeout as after } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { makeDatabase } from '../test/lost-updates/database.js'
import { kinds, nameOf, written } from './attack/documents.js'
import { AttackedGateway } from './attack/gateway.js'
import { type Felt, Neighbour } from './attack/neighbour.js'
import { type Dear, Search } from './attack/search.js'
import { fill, type World } from './attack/world.js'

const MAXIMA = {
  /** How long the event loop may serve nobody. */
  longestPieceMs: 1_000,
  /** How much more memory than before one operation may take. */
  peakMiB: 64,
  /** How much longer than alone a point read of another tenant may take. */
  delayMs: 250,
}

const { values } = parseArgs({ options: { seconds: { type: 'string' }, clients: { type: 'string' }, only: { type: 'string' } } })
const whole = (fallback: number) => z.coerce.number().int().min(1).default(fallback)
const options = z.object({ seconds: whole(3), clients: whole(8), only: z.string().optional() }).parse(values)

/** What a document did. */
interface Row {
  dear: Dear
  /** While several clients sent it. */
  felt: Felt
  flooded: { requests: number; longestPieceMs: number; peakMiB: number }
}

async function attack(gateway: AttackedGateway, world: World): Promise<void> {
  const neighbour = new Neighbour(gateway.url, world.neighbour.key, world.neighbour.assessmentId)
  try {
    await after(1_000)
    await neighbour.felt()
    await after(options.seconds * 1_000)
    const alone = await neighbour.felt()
    process.stdout.write(`Alone, the point reads of another tenant take ${told(alone.p50)} ms at p50 and ${told(alone.p99)} ms at p99.\n\n`)
    process.stdout.write('| operation | cost | CPU | bytes | memory | longest piece | other tenant p50 / p99 | failed |\n|---|---|---|---|---|---|---|---|\n')
    const search = new Search(gateway, world)
    const failures: string[] = []
    for (const kind of kinds().filter(({ field }) => options.only === undefined || field.name === options.only)) {
      for (const dear of await search.dearest(kind)) {
        const row = await flood(gateway, world, neighbour, dear)
        process.stdout.write(`${lineOf(row)}\n`)
        failures.push(...failuresOf(row, alone))
      }
    }
    if (gateway.log !== '') failures.push(`the gateway logged: ${gateway.log.slice(0, 2_000)}`)
    for (const failure of failures) process.stdout.write(`\n${failure}`)
    process.stdout.write(failures.length === 0 ? '\nNothing took more than it may.\n' : '\n')
    if (failures.length > 0) process.exitCode = 1
  } finally {
    await neighbour.stop()
  }
}

/** Several clients send it for a while. */
async function flood(gateway: AttackedGateway, world: World, neighbour: Neighbour, dear: Dear): Promise<Row> {
  const document = written(dear.plan, dear.size)
  let requests = 0
  const { result, usage } = await gateway.using(async () => {
    await neighbour.felt()
    const end = performance.now() + options.seconds * 1_000
    const client = async () => {
      while (performance.now() < end) {
        await gateway.send(world.attacker.key, document)
        requests += 1
      }
    }
    await Promise.all(Array.from({ length: options.clients }, client))
    return neighbour.felt()
  })
  return { dear, felt: result, flooded: { requests, ...usage } }
}

/** A number that a person reads. */
function told(number: number): string {
  return number < 10 ? number.toFixed(1) : Math.round(number).toLocaleString('en')
}

function titleOf({ plan, size }: Dear): string {
  const leaves = plan.leaves.length === 1 ? `.${plan.leaves.join('')}` : ''
  const sizes = Object.entries(size).flatMap(([part, count]) => (count > 1 ? [`${count} ${part}`] : []))
  return `\`${nameOf(plan)}${leaves}\`${sizes.length > 0 ? `, ${sizes.join(', ')}` : ''}`
}

function lineOf({ dear, felt, flooded }: Row): string {
  const { cost, bytes, usage } = dear
  const cells = [
    titleOf(dear), Number.isNaN(cost) ? '–' : told(cost), `${told(usage.cpuMs)} ms`, told(bytes), `${told(usage.peakMiB)} MiB`,
    `${told(Math.max(usage.longestPieceMs, flooded.longestPieceMs))} ms`, `${told(felt.p50)} / ${told(felt.p99)} ms`, `${felt.errors} of ${felt.reads}`,
  ]
  return `| ${cells.join(' | ')} |`
}

function failuresOf({ dear, felt, flooded }: Row, alone: Felt): string[] {
  const longest = Math.max(dear.usage.longestPieceMs, flooded.longestPieceMs)
  const found = [
    longest > MAXIMA.longestPieceMs && `holds the event loop for ${told(longest)} ms`,
    dear.usage.peakMiB > MAXIMA.peakMiB && `takes ${told(dear.usage.peakMiB)} MiB`,
    felt.p99 - alone.p99 > MAXIMA.delayMs && `delays another tenant by ${told(felt.p99 - alone.p99)} ms at p99`,
    felt.errors > 0 && `lets ${felt.errors} requests of another tenant fail`,
    felt.reads === 0 && 'lets no request of another tenant through',
  ]
  return found.flatMap((it) => (it === false ? [] : [`${titleOf(dear)} ${it}.`]))
}

const databaseServer = process.env['DATABASE_URL']
if (!databaseServer) throw new Error('Set DATABASE_URL to a PostgreSQL on which databases can be made.')
const database = await makeDatabase(databaseServer, `attack_${randomBytes(6).toString('hex')}`)
try {
  const world = await fill(database.url)
  const gateway = new AttackedGateway(database.url)
  await gateway.start()
  await attack(gateway, world).finally(() => gateway.stop())
} finally {
  await database.drop()
}
