import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { type IncomingMessage, request as httpRequest } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { runCommand, temporaryDirectory } from './processes.js'

const root = fileURLToPath(new URL('../', import.meta.url))
const location = inject('database')

const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function dataDirectory(): Promise<string> {
  const { path, remove } = await temporaryDirectory()
  cleanUps.push(remove)
  return path
}

/** A gateway process that listens, with the demo key of its first organisation. */
async function listening(env: Record<string, string>) {
  const child = spawn(process.execPath, [join(root, 'dist/src/main.js')], {
    cwd: root,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], LOG_LEVEL: 'error', PORT: '0', ...env },
  })
  const exit = once(child, 'exit')
  const stderr = text(child.stderr)
  cleanUps.push(async () => {
    if (child.exitCode === null) child.kill('SIGKILL')
    await exit
  })
  let key = ''
  for await (const line of createInterface(child.stdout)) {
    key ||= /^demo key {2}.+ {2}(\S+)$/.exec(line)?.[1] ?? ''
    const url = /^GraphQL and GraphiQL {2}(\S+)$/.exec(line)?.[1]
    if (url !== undefined) return { child, exit, stderr, url, key }
  }
  throw new Error(`The gateway ended before it listened: ${await stderr}`)
}

const answer = z.object({ data: z.record(z.string(), z.unknown()).nullish(), errors: z.array(z.unknown()).optional() })

async function ask(url: string, key: string, query: string, variables: object = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { apikey: key, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  })
  return answer.parse(await response.json())
}

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
    const { child, exit, stderr, url, key } = await listening({ DATA_DIR: await dataDirectory() })
    const base = new URL(url).origin
    expect((await fetch(`${base}/health`)).status).toBe(200)
    expect((await fetch(`${base}/ready`)).status).toBe(200)
    expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(401)
    expect((await ask(url, key, '{ viewer { organisation { name } } }')).data).toEqual({ viewer: { organisation: { name: 'Northwind Assurance' } } })
    child.kill('SIGTERM')
    expect(await exit).toEqual([0, null])
    expect(await stderr).toBe('')
  })

  test('finishes what is in flight on SIGTERM', async () => {
    const { child, exit, url, key } = await listening({ DATA_DIR: await dataDirectory() })
    const request = httpRequest(url, {
      method: 'POST',
      headers: { apikey: key, 'content-type': 'application/json', expect: '100-continue' },
    })
    const responded = new Promise<IncomingMessage>((resolve, reject) => request.once('response', resolve).once('error', reject))
    request.flushHeaders()
    // The gateway has the request's head, and waits for its body.
    await once(request, 'continue')
    child.kill('SIGTERM')
    // It has heard the signal once it takes no further connection.
    await expect.poll(() => fetch(url).then(() => 'taken', () => 'refused'), { timeout: 20_000 }).toBe('refused')
    request.end(JSON.stringify({ query: '{ assessments(first: 100) { nodes { id sections { title } } } }' }))
    const { data, errors } = answer.parse(JSON.parse(await text(await responded)))
    expect(errors).toBeUndefined()
    expect(data?.['assessments']).toEqual(expect.anything())
    expect(await exit).toEqual([0, null])
  })

  test('keeps its data directory from another, and is none the worse for it', async () => {
    const directory = await dataDirectory()
    const { url, key } = await listening({ DATA_DIR: directory })
    expect(await refusal({ DATA_DIR: directory })).toBe(
      `The data directory ${directory} is held by another process. Stop that one first, or set DATA_DIR to another directory.`,
    )
    expect((await ask(url, key, '{ viewer { scopes } }')).errors).toBeUndefined()
  })
})

describe('a gateway that cannot start says why', () => {
  test('when its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    cleanUps.push(() => new Promise((resolve) => other.close(resolve)))
    const address = other.address()
    const port = typeof address === 'object' && address ? String(address.port) : ''
    expect(await refusal({ PORT: port, DATA_DIR: await dataDirectory() })).toContain(`Cannot listen on 127.0.0.1 port ${port}`)
  })

  test('when a setting is wrong', async () => {
    expect(await refusal({ PORT: 'eighty' })).toMatch(/^Setting PORT is wrong/)
  })

  test('when PostgreSQL cannot be reached', async () => {
    expect(await refusal({ DATABASE_URL: 'postgres://postgres@127.0.0.1:1/none' })).toMatch(/^The database cannot be reached/)
  })

  test('when DATA_DIR is a file', async () => {
    const file = join(await dataDirectory(), 'file')
    await writeFile(file, 'mine')
    expect(await refusal({ DATA_DIR: file })).toContain(file)
  })

  test.runIf('url' in location)('when PostgreSQL is not migrated', async () => {
    if (!('url' in location)) throw new Error('This needs PostgreSQL.')
    const client = new pg.Client({ connectionString: location.url })
    await client.connect()
    const name = `gateway_test_empty_${String(process.pid)}`
    await client.query(`CREATE DATABASE ${name}`)
    cleanUps.push(async () => {
      await client.query(`DROP DATABASE ${name} WITH (FORCE)`)
      await client.end()
    })
    const url = new URL(location.url)
    url.pathname = `/${name}`
    expect(await refusal({ DATABASE_URL: url.href })).toMatch(/^The database lacks the migrations .*npm run migrate/)
  })
})

describe('a gateway killed in the middle of writing', () => {
  test.each([['the embedded database'], ...('url' in location ? [['PostgreSQL']] : [])])(
    'on %s has every acknowledged write with its revision, and no half of another',
    async (where) => {
      const env = where === 'PostgreSQL' && 'url' in location ? await ownDatabase(location.url) : { DATA_DIR: await dataDirectory() }
      const seeded = where === 'PostgreSQL' ? await seedKey(env) : undefined
      const first = await listening(env)
      const key = seeded ?? first.key
      const list = z.object({ assessments: z.object({ nodes: z.array(z.object({ id: z.string() })) }) })
      const { assessments } = list.parse((await ask(first.url, key, '{ assessments(first: 4, filter: { status: [DRAFT] }) { nodes { id } } }')).data)
      const written = z.object({ updateAssessment: z.object({ assessment: z.object({ version: z.number(), name: z.string() }) }) })
      const acknowledged = new Map<string, { id: string; version: number; name: string }>()
      let enough: () => void = () => {}
      const manyWritten = new Promise<void>((resolve) => (enough = resolve))
      const write = async (writer: number) => {
        for (let round = 0; ; round += 1) {
          const id = assessments.nodes[(writer + round) % assessments.nodes.length]?.id ?? ''
          const query = `mutation ($id: ID!, $name: String) { updateAssessment(id: $id, input: { name: $name }) {
            ... on UpdateAssessmentSuccess { assessment { version name } } } }`
          const { data } = await ask(first.url, key, query, { id, name: `${String(writer)} ${String(round)}` })
          const { version, name } = written.parse(data).updateAssessment.assessment
          acknowledged.set(`${id} ${String(version)}`, { id, version, name })
          if (acknowledged.size === 100) enough()
        }
      }
      const writers = Array.from({ length: 6 }, (_, writer) => write(writer).catch(() => {}))
      await manyWritten
      first.child.kill('SIGKILL')
      await first.exit
      await Promise.all(writers)

      const second = await listening(env)
      const history = z.object({
        assessment: z.object({
          version: z.number(),
          name: z.string(),
          history: z.object({ totalCount: z.number(), nodes: z.array(z.object({ version: z.number(), changedPaths: z.array(z.string()), actor: z.string() })) }),
        }),
      })
      for (const { id } of assessments.nodes) {
        const query = `query ($id: ID!) { assessment(id: $id) { version name history(first: 100) { totalCount nodes { version changedPaths actor } } } }`
        const { assessment } = history.parse((await ask(second.url, seeded ?? second.key, query, { id })).data)
        const mine = [...acknowledged.values()].filter((it) => it.id === id)
        expect(assessment.version).toBeGreaterThanOrEqual(Math.max(...mine.map(({ version }) => version)))
        const last = mine.find(({ version }) => version === assessment.version)
        if (last) expect(assessment.name).toBe(last.name)
        const newest = assessment.history.nodes.map(({ version }) => version)
        expect(newest).toEqual(Array.from({ length: Math.min(100, assessment.version) }, (_, index) => assessment.version - index))
        for (const revision of assessment.history.nodes.filter(({ version }) => mine.some((it) => it.version === version))) {
          expect(revision.changedPaths).toEqual(['name'])
          expect(revision.actor).toMatch(/^key:/)
        }
      }
    },
  )
})

/** A migrated database beside the test's own. */
async function ownDatabase(server: string): Promise<Record<string, string>> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  const name = `gateway_test_crash_${String(process.pid)}`
  await client.query(`CREATE DATABASE ${name}`)
  cleanUps.push(async () => {
    await client.query(`DROP DATABASE ${name} WITH (FORCE)`)
    await client.end()
  })
  const url = new URL(server)
  url.pathname = `/${name}`
  const env = { DATABASE_URL: url.href, DATA_DIR: await dataDirectory() }
  expect(await runCommand('src/migrate.js', [], env)).toMatchObject({ code: 0 })
  return env
}

async function seedKey(env: Record<string, string>): Promise<string> {
  const { code, stdout, stderr } = await runCommand('prisma/seed.js', [], env)
  expect(`${String(code)} ${stderr}`).toMatch(/^0/)
  return /^demo key {2}.+ {2}(\S+)$/m.exec(stdout)?.[1] ?? ''
}
