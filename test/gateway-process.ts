// The gateway as a process of its own that a test can talk to, stop and kill.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { expect, inject, onTestFinished } from 'vitest'
import { z } from 'zod'
import { runCommand, temporaryDirectory } from './processes.js'

const root = fileURLToPath(new URL('../', import.meta.url))

/** To be done after the test, whatever becomes of it. */
export function afterTest(cleanUp: () => Promise<unknown>): void {
  // A hook at the top of this file would belong to the first test file that imports it, as all share one process.
  onTestFinished(async () => {
    await cleanUp()
  })
}

export async function ownDirectory(): Promise<string> {
  const { path, remove } = await temporaryDirectory()
  afterTest(remove)
  return path
}

let seeded: Promise<string> | undefined

/** A data directory of the test's own with the demo data: opening it takes a part of the time that filling one does. */
export async function seededDirectory(): Promise<string> {
  seeded ??= seed()
  const directory = await ownDirectory()
  await cp(await seeded, directory, { recursive: true })
  return directory
}

async function seed(): Promise<string> {
  const directory = join(inject('scratch'), randomUUID())
  expect(await runCommand('prisma/seed.js', [], { DATA_DIR: directory })).toMatchObject({ code: 0, stderr: '' })
  return directory
}

const answer = z.object({ data: z.record(z.string(), z.unknown()).nullish(), errors: z.array(z.unknown()).optional() })

export class GatewayProcess {
  stdout = ''
  stderr = ''
  /** Resolves with the exit code; null when a signal ended it. */
  readonly exit: Promise<number | null>

  constructor(readonly child: ChildProcessByStdio<null, Readable, Readable>) {
    child.stdout.on('data', (chunk) => (this.stdout += String(chunk)))
    child.stderr.on('data', (chunk) => (this.stderr += String(chunk)))
    this.exit = once(child, 'close').then(() => child.exitCode)
  }

  get url(): string {
    return /^GraphQL and GraphiQL {2}(\S+)$/m.exec(this.stdout)?.[1] ?? ''
  }

  /** The demo keys, in the order in which they are shown. */
  get keys(): string[] {
    return [...this.stdout.matchAll(/^demo key {2}.+ {2}(\S+)$/gm)].map(([, key]) => key ?? '')
  }

  /** Waits until it listens. */
  async listening(): Promise<this> {
    await this.until(() => this.url !== '')
    return this
  }

  async until(condition: () => boolean): Promise<void> {
    await expect.poll(() => condition() || this.child.exitCode !== null || this.child.signalCode !== null, { timeout: 50_000, interval: 5 }).toBe(true)
    if (!condition()) throw new Error(`The gateway ended too early: ${this.stderr}`)
  }

  stop(): Promise<number | null> {
    this.child.kill('SIGTERM')
    return this.exit
  }

  kill(): Promise<number | null> {
    this.child.kill('SIGKILL')
    return this.exit
  }

  async ask(key: string, query: string, variables: object = {}) {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: { apikey: key, 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    })
    return answer.parse(await response.json())
  }

  /** Like `ask`, for a request that must succeed. */
  async dataOf<Schema extends z.ZodType>(schema: Schema, key: string, query: string, variables: object = {}): Promise<z.output<Schema>> {
    const { data, errors } = await this.ask(key, query, variables)
    if (errors) throw new Error(`${query}\nanswered ${JSON.stringify(errors)}\n${this.stderr}`)
    return schema.parse(data)
  }
}

/** Starts what `npm run build` compiled, on a free port; it is killed after the test if it still runs. */
export function startGateway(env: Record<string, string>): GatewayProcess {
  const child = spawn(process.execPath, [join(root, 'dist/src/main.js')], {
    cwd: root,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], LOG_LEVEL: 'info', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const gateway = new GatewayProcess(child)
  afterTest(() => gateway.kill())
  return gateway
}
