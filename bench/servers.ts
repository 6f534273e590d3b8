import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { API_KEY, ORGANISATION_ID, POOL_SIZE, type Row } from './data.js'
import type { Dialect, Target } from './workload.js'

export interface ServerKind {
  name: string
  title: string
  dialect: Dialect
  federated: boolean
  /** Arguments of Node. */
  run: string[]
  embedded?: boolean
  /** Whether it answers how much memory it uses. */
  isProbed?: boolean
}

const gateway = [path('../dist/src/main.js')]
const own = (file: string) => ['--import', 'tsx', path(`servers/${file}`)]

export const ours: ServerKind = { name: 'ours', title: 'this gateway on PostgreSQL', dialect: 'gateway', federated: true, run: gateway }

/** Tells how much memory it uses, for which it listens to the benchmark's process. */
export const oursProbed: ServerKind = { ...ours, run: ['--expose-gc', '--import', path('../scripts/soak-probe.js'), ...gateway], isProbed: true }

/** The first is what the others are compared with. */
export const kinds: ServerKind[] = [
  { name: 'raw', title: 'node:http + pg, hand-written SQL', dialect: 'raw', federated: true, run: own('raw.ts') },
  ours,
  { name: 'ours-pglite', title: 'this gateway on PGlite', dialect: 'gateway', federated: true, run: gateway, embedded: true },
  { name: 'postgraphile', title: 'PostGraphile 5', dialect: 'postgraphile', federated: false, run: own('postgraphile.ts') },
  { name: 'mercurius', title: 'Mercurius with graphql-jit, hand-written SQL', dialect: 'gateway', federated: true, run: own('mercurius.ts') },
  { name: 'apollo', title: 'Apollo Server 5 + Prisma', dialect: 'gateway', federated: true, run: own('apollo.ts') },
]

export interface RunningServer extends Target {
  title: string
  /** @param isCollected whether to collect before what nobody needs any more */
  memory(isCollected: boolean): Promise<Memory>
  stop(): Promise<void>
}

/** In bytes. */
export type Memory = z.output<typeof memory>
const memory = z.object({ rss: z.number(), heapUsed: z.number() })

/** Where the data of a server is. */
export interface Place {
  rows: Row[]
  env: Record<string, string>
}

/** Starts a server in a process of its own and waits until it says where it listens. */
export async function start(kind: ServerKind, { rows, env }: Place): Promise<RunningServer> {
  const child = spawn(process.execPath, kind.run, {
    cwd: path('.'),
    env: {
      PATH: process.env['PATH'],
      NODE_ENV: 'production',
      PORT: '0',
      LOG_LEVEL: 'warn',
      // The load comes from one address with one key.
      RATE_LIMIT_PER_CREDENTIAL: '0',
      RATE_LIMIT_PER_ADDRESS: '0',
      DATABASE_POOL_SIZE: String(POOL_SIZE),
      ORGANISATION_ID,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit', ...(kind.isProbed ? ['ipc' as const] : [])],
  })
  const url = await addressOf(child)
  if (child.pid === undefined) throw new Error(`${kind.name} has no process.`)
  const { name, title, dialect, federated } = kind
  return {
    name,
    title,
    dialect,
    federated,
    url,
    pid: child.pid,
    headers: { 'content-type': 'application/json', apikey: API_KEY },
    rows,
    async memory(isCollected) {
      if (!child.connected) throw new Error(`${name} cannot be asked for its memory.`)
      const answered = once(child, 'message')
      child.send(isCollected ? 'collected' : 'as it is')
      return memory.parse((await answered)[0])
    },
    async stop() {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      // Not every peer stops by itself.
      const deadline = setTimeout(() => child.kill('SIGKILL'), 3_000)
      await exited
      clearTimeout(deadline)
    },
  }
}

async function addressOf(child: ChildProcess): Promise<URL> {
  if (!child.stdout) throw new Error('The server has no output.')
  for await (const line of createInterface(child.stdout)) {
    const [address] = /http:\S+/.exec(line) ?? []
    if (address) {
      // Read on, or a full pipe would stop the server.
      child.stdout.resume()
      return new URL(address)
    }
  }
  throw new Error('A server ended before it listened.')
}

function path(file: string): string {
  return new URL(file, import.meta.url).pathname
}
