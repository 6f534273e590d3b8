// The gateway's commands as real processes. They run what `npm run build` compiled, as `npm test` does first.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../', import.meta.url))

/** Nothing of the test's own environment but what finds Node. */
const inherited = { PATH: process.env['PATH'], HOME: process.env['HOME'], LOG_LEVEL: 'error' }

/** A directory of its own for each test; call `remove` in the end. */
export async function temporaryDirectory(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'gateway-test-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

export interface Finished {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs a compiled entry, e.g. `src/commands/admin.js`, to its end. */
export async function runCommand(entry: string, args: string[], env: Record<string, string>): Promise<Finished> {
  const child = spawn(process.execPath, [join(root, 'dist', entry), ...args], { cwd: root, env: { ...inherited, ...env } })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { code: child.exitCode, stdout, stderr }
}

/** Starts the gateway on a free port, lets `use` work with it, and stops it: the lines that it printed. */
export async function runGateway(
  env: Record<string, string>,
  use: (gateway: { url: string; lines: string[] }) => Promise<void> = () => Promise.resolve(),
): Promise<string[]> {
  const child = spawn(process.execPath, [join(root, 'dist/src/main.js')], { cwd: root, env: { ...inherited, PORT: '0', ...env } })
  const exit = once(child, 'exit')
  const stderr = text(child.stderr)
  const lines: string[] = []
  try {
    for await (const line of createInterface(child.stdout)) {
      lines.push(line)
      const url = /^GraphQL and GraphiQL {2}(\S+)$/.exec(line)?.[1]
      if (url === undefined) continue
      await use({ url: url.replace('0.0.0.0', '127.0.0.1'), lines })
      return lines
    }
    throw new Error(`The gateway ended before it listened: ${await stderr}`)
  } finally {
    child.kill('SIGTERM')
    await exit
  }
}
