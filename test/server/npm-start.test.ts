// `npm start` as a person runs it: what it prints, and that a signal to npm ends the gateway.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, symlink } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, inject, test } from 'vitest'
import { temporaryDirectory } from '../processes.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const place = inject('database')

// It builds, which no other test may see: it has a copy of the sources.
test.runIf('socketDirectories' in place)('npm start prints the keys and the address, and nothing else, and ends with npm', { timeout: 180_000 }, async () => {
  const { path, remove } = await temporaryDirectory()
  for (const name of ['src', 'prisma', 'operations', 'package.json', 'prisma.config.ts', 'tsconfig.json', 'tsconfig.build.json']) {
    await cp(`${root}${name}`, `${path}/${name}`, { recursive: true, filter: (source) => !source.includes('src/generated') })
  }
  await symlink(`${root}node_modules`, `${path}/node_modules`)
  await mkdir(`${path}/home`)
  // What npm tells of its own versions is npm's.
  const env = { PATH: process.env['PATH'], HOME: `${path}/home`, PORT: '0', LOG_LEVEL: 'warn', npm_config_update_notifier: 'false' }
  const npm = spawn('npm', ['start'], { cwd: path, env })
  const exited = once(npm, 'exit')
  const errors = text(npm.stderr)
  const lines: string[] = []
  for await (const line of createInterface(npm.stdout)) {
    lines.push(line)
    if (!line.startsWith('GraphQL')) continue
    const address = /http:\S+/.exec(line)?.[0] ?? ''
    expect((await fetch(address, { method: 'POST' })).status).toBe(401)
    npm.kill('SIGTERM')
    await exited
    await expect.poll(() => fetch(address, { method: 'POST' }).then(() => 'answered', () => 'gone'), { timeout: 20_000 }).toBe('gone')
  }
  const ofNpm = (line: string) => line === '' || line.startsWith('> ')
  const key: unknown = expect.stringMatching(/^demo key {2}.+ {2}agk_/)
  expect(lines.filter((line) => !ofNpm(line))).toEqual([key, key, expect.stringMatching(/^GraphQL and GraphiQL {2}http/)])
  expect(await errors).toBe('')
  await remove()
})
