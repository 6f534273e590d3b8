// docs/architecture.md names files: that they are there, in the order that the linter holds, and those through which requests pass.
import { existsSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type ClientRequest, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { Session } from 'node:inspector/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import architecture from '../../eslint.architecture.js'
import { serveHttp } from '../../src/server/http/http-server.js'
import { gateway, log } from '../gateway.js'
import { anOrganisation, type Story } from '../story.js'

const root = new URL('../../', import.meta.url)
const page = await readFile(new URL('docs/architecture.md', root), 'utf8')
const sections = new Map(page.split(/^## /m).map((part) => [part.split('\n', 1).join(), part]))

function section(title: string): string {
  return sections.get(title) ?? expect.fail(`There is no section "${title}".`)
}

/** What stands at the start of each row of a table, between backticks. */
function firstCells(table: string): string[] {
  return [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, cell = '']) => cell)
}

/** The files that a page names between backticks, as it names them. */
function filesNamed(text: string): string[] {
  const names = new Set([...text.matchAll(/`([^`\s]+)`/g)].map(([, name = '']) => name))
  return [...names].filter((name) => /^[\w./-]+\.(ts|js|md|sql|prisma|json)$/.test(name))
}

const isThere = (path: string) => existsSync(new URL(path, root))
const hasFolder = (name: string) => name.includes('/') || isThere(name)

describe('the files', () => {
  const files = filesNamed(page)

  test('that are named with their folder are there', () => {
    expect(files.length).toBeGreaterThan(50)
    expect(files.filter((name) => hasFolder(name) && !isThere(name))).toEqual([])
  })

  test('that are named without one are in a module', () => {
    const modules = ['organisations', 'templates', 'assessments', 'records', 'results']
    expect(files.filter((name) => !hasFolder(name) && !modules.some((module) => isThere(`src/${module}/${name}`)))).toEqual([])
  })
})

describe.each(['executor', 'sql-store'])('the engine %s', (engine) => {
  test('has a page that names files that are there', async () => {
    const named = filesNamed(await readFile(new URL(`src/${engine}/README.md`, root), 'utf8'))
    expect(named.filter((name) => !isThere(hasFolder(name) ? name : `src/${engine}/${name}`))).toEqual([])
  })

  test('is one line of src/server/start.ts', async () => {
    const [, line = ''] = new RegExp(`^\\| ${engine} \\| \`([^\`]+)\``, 'm').exec(section('Two engines')) ?? []
    const lines = (await readFile(new URL('src/server/start.ts', root), 'utf8')).split('\n').map((it) => it.trim())
    expect(lines).toContain(line)
  })
})

describe('the table of folders', () => {
  const table = firstCells(section('Folders'))

  test('has every folder of src', () => {
    const folders = readdirSync(new URL('src/', root), { withFileTypes: true }).flatMap((it) => (it.isDirectory() ? [it.name] : []))
    expect(table.toSorted()).toEqual(folders.toSorted())
  })

  test('has the order that the linter holds', () => {
    const held = architecture.flatMap(({ files = [] }) => files.flat()).flatMap((files) => /^src\/([\w-]+)\/\*\*\/\*\.ts$/.exec(files)?.[1] ?? [])
    expect(table).toEqual([...new Set(held)])
  })
})

test('the pipeline has the guards of src/server/pipeline.ts in its order', async () => {
  const source = await readFile(new URL('src/server/pipeline.ts', root), 'utf8')
  const [, http = '', graphql = ''] = /guards: \[(.*)\],.*?return \[\n(.*?)\n {2}\]/s.exec(source) ?? []
  const listed = [...http.matchAll(/\b(\w+)(?=,|\(|$)/g), ...graphql.matchAll(/\b(use\w+)(?=\()|\[(execution)\]/g)]
  const names = listed.map(([, name, execution]) => name ?? execution).filter((name) => name !== 'authenticate')
  expect(firstCells(section('Pipeline'))).toEqual(names)
})

/** The files of a walk, in its order. */
function walk(title: string): string[] {
  return [...section(title).matchAll(/^\d+\. `([^`]+)`: /gm)].map(([, file = '']) => file)
}

describe('the walks', () => {
  const WRITE = 'A walk of one write'
  const READ = 'A walk of one list read'
  let server: Awaited<ReturnType<typeof serveHttp>>
  beforeAll(async () => {
    server = await serveHttp(gateway.listener, log, { host: '127.0.0.1', port: 0, maximumConnections: 10, keepAliveTimeoutMs: 75_000, sendTimeoutMs: 60_000, shutdownTimeoutMs: 1_000 })
  })
  afterAll(() => server.close())

  async function send({ key }: Story, query: string, variables: object): Promise<string> {
    const posted: ClientRequest = request(`${server.origin}/graphql`, { method: 'POST', headers: { apikey: key, 'content-type': 'application/json' } })
    posted.end(JSON.stringify({ query, variables }))
    return text(await new Promise((resolve, reject) => posted.on('response', resolve).on('error', reject)))
  }

  test.each([WRITE, READ])('%s names no file twice', (title) => {
    const named = [...section(title).matchAll(/`(src\/[^`]+)`/g)].map(([, file = '']) => file)
    expect(named.filter((file, index) => named.indexOf(file) !== index)).toEqual([])
    expect(section(title).match(/^\d+(?=\. )/gm)).toEqual(walk(title).map((_, index) => String(index + 1)))
  })

  test(`${WRITE} names the files that are at work`, async () => {
    const org = await anOrganisation()
    const { id, sections: [first] } = await org.assessment()
    const answers = [{ questionId: first?.questions[0]?.id, optionKey: 'some' }]
    await org.request('mutation ($id: ID!, $answers: [AnswerInput!]!) { answerAssessmentQuestions(id: $id, answers: $answers) { __typename } }', { id, answers })
    const shown = 'id version status overallRiskScore updatedAt'
    const query = `mutation AWalk($id: ID!) {
      updateAssessment(id: $id, expectedVersion: 2, input: { status: COMPLETE }) { __typename ... on UpdateAssessmentSuccess { assessment { ${shown} } } }
    }`
    let answer = ''
    const files = await filesAtWork(async () => void (answer = await send(org, query, { id })))
    expect(JSON.parse(answer)).toMatchObject({ data: { updateAssessment: { assessment: { version: 3, status: 'COMPLETE', overallRiskScore: 40 } } } })
    expect(files).toEqual(walk(WRITE).toSorted())
  })

  test(`${READ} names the files that are at work`, async () => {
    const org = await anOrganisation()
    for (const name of ['A', 'B', 'C']) await org.assessment({ name })
    const args = 'filter: { status: [DRAFT, ANALYZING] }, orderBy: [{ field: NAME, direction: ASC }]'
    const query = (name: string) => `query ${name}($after: String) {
      assessments(${args}, first: 1, after: $after) { totalCount pageInfo { endCursor } nodes { id name updatedAt entity { name } } }
    }`
    const page = z.object({ data: z.object({ assessments: z.object({ totalCount: z.literal(3), pageInfo: z.object({ endCursor: z.string() }) }) }) })
    const { endCursor: after } = page.parse(JSON.parse(await send(org, query('Before'), {}))).data.assessments.pageInfo
    let answer = ''
    const files = await filesAtWork(async () => void (answer = await send(org, query('AWalk'), { after })))
    expect(JSON.parse(answer)).toMatchObject({ data: { assessments: { totalCount: 3, nodes: [{ name: 'B' }] } } })
    expect(files).toEqual(walk(READ).toSorted())
  })
})

/** By these, Vitest's modules give each other what they export; to read a constant is not to call anything of its file. */
const EXPORT = /^\(\) => \{ try \{ return \w+ \} catch \{\} \}$/

/** The files of src of which a function is called while `run` is at work. */
async function filesAtWork(run: () => Promise<void>): Promise<string[]> {
  const sources = fileURLToPath(new URL('src/', root))
  const session = new Session()
  session.connect()
  try {
    await session.post('Debugger.enable')
    await session.post('Profiler.enable')
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
    await run()
    const { result } = await session.post('Profiler.takePreciseCoverage')
    const files = new Set<string>()
    for (const { scriptId, url, functions } of result) {
      const path = url.startsWith('file:') ? fileURLToPath(url) : url
      if (!path.startsWith(sources) || path.includes('/generated/')) continue
      const { scriptSource } = await session.post('Debugger.getScriptSource', { scriptId })
      const called = functions.flatMap(({ ranges }) => ranges.filter(({ count }) => count > 0))
      if (called.some(({ startOffset, endOffset }) => !EXPORT.test(scriptSource.slice(startOffset, endOffset)))) files.add(`src/${path.slice(sources.length)}`)
    }
    return [...files].toSorted()
  } finally {
    session.disconnect()
  }
}
