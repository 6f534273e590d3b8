// The product as its users run it: the built process, on an embedded database with the demo data.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** What listens somewhere until it is stopped. */
export interface Running {
  url: string
  stop(): Promise<void>
}

export interface RunningGateway extends Running {
  /** One of each demo organisation, with all scopes. */
  demoKeys: [string, string]
}

const product = fileURLToPath(new URL('..', import.meta.url))

/** What a frontend's code generator has written for the gateway to read. */
export const persistedDocuments = fileURLToPath(new URL('generated/documents/persisted-documents.json', import.meta.url))

function environmentOf(settings: Record<string, string>): Record<string, string> {
  // Only what is said here: a DATABASE_URL of whoever runs the tests must not be written to.
  return { PATH: process.env['PATH'] ?? '', ...settings }
}

/** Starts the gateway on a free port and waits until it says where it listens. */
export async function startGateway(settings: Record<string, string>): Promise<RunningGateway> {
  const gateway = spawn(process.execPath, ['dist/src/main.js'], {
    cwd: product,
    env: environmentOf({ ...settings, PORT: '0', LOG_LEVEL: 'warn' }),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(gateway, 'exit')
  const demoKeys: string[] = []
  for await (const line of createInterface(gateway.stdout)) {
    demoKeys.push(.../^demo key {2}.+ {2}(\S+)$/.exec(line)?.slice(1) ?? [])
    const url = /^GraphQL and GraphiQL {2}(\S+)$/.exec(line)?.[1]
    if (!url) continue
    const [first, second] = demoKeys
    if (!first || !second) break
    // Nobody reads on, and a full pipe would stop the gateway.
    gateway.stdout.resume()
    return {
      url,
      demoKeys: [first, second],
      async stop() {
        gateway.kill('SIGTERM')
        const [code]: unknown[] = await exited
        if (code !== 0) throw new Error(`The gateway ended with ${String(code)}.`)
      },
    }
  }
  gateway.kill()
  await exited
  throw new Error('The gateway did not start with demo keys. Is it built? `npm run build` in the folder above builds it.')
}

/** Runs an admin command. The embedded database belongs to one process: no gateway may run on it. */
export async function admin(settings: Record<string, string>, ...args: string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, ['dist/src/commands/admin.js', ...args], {
    cwd: product,
    env: environmentOf(settings),
  })
  return JSON.parse(stdout)
}
