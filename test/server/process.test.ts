// The gateway as a process: what it says when it starts, and when it cannot.
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import pg from 'pg'
import { describe, expect, inject, test } from 'vitest'
import { afterTest, ownDirectory, seededDirectory, startGateway } from '../gateway-process.js'
import { runCommand } from '../processes.js'
import { talk } from '../sockets.js'

const location = inject('database')

/** What a start that must fail has said: one sentence, without a stack. */
async function refusal(env: Record<string, string>): Promise<string> {
  const { code, stdout, stderr } = await runCommand('src/main.js', [], { PORT: '0', ...env })
  expect(code).toBe(1)
  expect(stdout).toBe('')
  expect(stderr).not.toMatch(/^\s+at /m)
  return stderr.trim()
}

describe('a running gateway', () => {
  test('is up and ready, keeps strangers out, warns of nothing, and exits 0 on SIGTERM with an idle connection open', async () => {
    const gateway = await startGateway({ DATA_DIR: await ownDirectory(), LOG_LEVEL: 'error' }).listening()
    const base = new URL(gateway.url).origin
    expect((await fetch(`${base}/health`)).status).toBe(200)
    expect((await fetch(`${base}/ready`)).status).toBe(200)
    expect((await fetch(gateway.url, { method: 'POST', body: '{}' })).status).toBe(401)
    // It has demo keys, which a foreign page could have by a name of its own that leads here.
    for (const path of ['/graphql', '/health']) {
      const answer = await talk(base, `GET ${path} HTTP/1.1\r\nhost: evil.example\r\naccept: text/html\r\nconnection: close\r\n\r\n`)
      expect(answer).toMatch(/^HTTP\/1\.1 421 /)
    }
    expect(await gateway.ask(gateway.keys[0] ?? '', '{ viewer { organisation { name } } }')).toEqual({
      data: { viewer: { organisation: { name: 'Northwind Assurance' } } },
    })
    expect(await gateway.stop()).toBe(0)
    expect(gateway.stderr).toBe('')
  })

  test('goes on when a promise is rejected that nobody hears, and logs it', async () => {
    const rejecting = `process.on("SIGUSR2",()=>{Promise.reject(new Error("nobody hears"))})`
    const gateway = await startGateway({ DATA_DIR: await seededDirectory(), LOG_LEVEL: 'error', NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(rejecting)}` }).listening()
    gateway.child.kill('SIGUSR2')
    await gateway.until(() => gateway.stderr.includes('nobody hears'))
    expect((await gateway.ask(gateway.keys[0] ?? '', '{ viewer { scopes } }')).errors).toBeUndefined()
    expect(gateway.stderr).toMatch(/^\{.*"errorId":"[\w-]{36}".*\}\n$/)
    expect(await gateway.stop()).toBe(0)
  })

  test('keeps its data directory from another, and is none the worse for it', async () => {
    const directory = await seededDirectory()
    const gateway = await startGateway({ DATA_DIR: directory }).listening()
    expect(await refusal({ DATA_DIR: directory })).toBe(
      `The data directory ${directory} is held by another process. Stop that one first, or set DATA_DIR to another directory.`,
    )
    expect((await gateway.ask(gateway.keys[0] ?? '', '{ viewer { scopes } }')).errors).toBeUndefined()
  })
})

describe('a gateway that cannot start says why', () => {
  test('when its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    afterTest(() => new Promise((resolve) => other.close(resolve)))
    const address = other.address()
    const port = typeof address === 'object' && address ? String(address.port) : ''
    expect(await refusal({ PORT: port, DATA_DIR: await seededDirectory() })).toContain(`Cannot listen on 127.0.0.1 port ${port}`)
  })

  test('when a setting is wrong', async () => {
    expect(await refusal({ PORT: 'eighty' })).toMatch(/^Setting PORT is wrong/)
  })

  test('when PostgreSQL cannot be reached', async () => {
    expect(await refusal({ DATABASE_URL: 'postgres://postgres@127.0.0.1:1/none' })).toMatch(/^The database cannot be reached/)
  })

  test('when DATA_DIR is a file, is below one, or lies where nothing can be written', async () => {
    const file = join(await ownDirectory(), 'file')
    await writeFile(file, 'mine')
    // In /proc nothing can be made, as if the path to it were not there; in /sys, nothing may be.
    const places = [file, join(file, 'below'), ...(process.platform === 'linux' ? ['/proc', '/proc/gateway', '/proc/a/b', '/sys/gateway'] : [])]
    const sentences = await Promise.all(places.map((place) => refusal({ DATA_DIR: place })))
    for (const [index, place] of places.entries()) expect(sentences[index]).toMatch(new RegExp(`^DATA_DIR ${place} cannot be used as a directory to write to: [^\\n]+\\.$`))
  })

  test.runIf('url' in location)('when PostgreSQL is not migrated', async () => {
    if (!('url' in location)) throw new Error('This needs PostgreSQL.')
    const client = new pg.Client({ connectionString: location.url })
    await client.connect()
    const name = `gateway_test_empty_${String(process.pid)}`
    await client.query(`CREATE DATABASE ${name}`)
    afterTest(async () => {
      await client.query(`DROP DATABASE ${name} WITH (FORCE)`)
      await client.end()
    })
    const url = new URL(location.url)
    url.pathname = `/${name}`
    expect(await refusal({ DATABASE_URL: url.href })).toMatch(/^The database lacks the migrations .*npm run migrate/)
  })
})
