// The demo data and its keys: what `npm run seed` and `npm start` promise about them.
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createAssessment } from '../../src/assessments/service.js'
import { refreshAssessments } from '../../src/assessments/refresh-service.js'
import { createAuthenticate } from '../../src/server/authentication.js'
import { type Database, openDatabase } from '../../src/database/client.js'
import { keptDemoKeys } from '../../src/demo/keys.js'
import type { Viewer } from '../../src/domain/viewer.js'
import { scopes } from '../../src/domain/scopes.js'
import { runCommand, runGateway, temporaryDirectory } from '../processes.js'

const directory = await temporaryDirectory()
afterAll(() => directory.remove())

const keyFile = z.array(z.strictObject({ name: z.string(), organisationId: z.uuid(), keyId: z.uuid(), key: z.string() }))

/** The file of a data directory, in the form in which its keys are printed. */
async function keptKeys(dataDirectory: string): Promise<string[]> {
  const keys = keyFile.parse(JSON.parse(await readFile(join(dataDirectory, 'demo-keys.json'), 'utf8')))
  return keys.map(({ name, key }) => `demo key  ${name}  ${key}`)
}

const isKeyLine = (line: string) => line.startsWith('demo key')
const keyOf = (line = '') => line.split('  ')[2] ?? ''

describe('npm run seed', { timeout: 180_000 }, () => {
  const data = join(directory.path, 'seeded')
  const seed = (env = {}) => runCommand('prisma/seed.js', [], { DATA_DIR: data, ...env })
  let lines: string[]
  let database: Database
  let viewer: Viewer

  beforeAll(async () => {
    const first = await seed()
    expect(first).toMatchObject({ code: 0, stderr: '' })
    lines = first.stdout.trimEnd().split('\n')
    const opened = await openDatabase({ dataDirectory: data })
    const found = await createAuthenticate(opened.statements, undefined)(new Headers({ apikey: keyOf(lines[0]) }))
    if (!found) throw new Error(`The first demo key does not work: ${lines.join(', ')}`)
    database = opened
    viewer = found
  }, 180_000)
  afterAll(() => database.close())

  const here = () => ({ where: { organisationId: viewer.organisation.id } })

  test('prints a key of all scopes for each organisation and keeps it for this user alone', async () => {
    expect(lines).toHaveLength(2)
    for (const line of lines) expect(line).toMatch(/^demo key {2}[^ ].*[^ ] {2}agk_[\w-]{43}$/)
    expect(await keptKeys(data)).toEqual(lines)
    expect((await stat(join(data, 'demo-keys.json'))).mode & 0o777).toBe(0o600)
    expect([...viewer.scopes]).toEqual(scopes)
    expect(lines[0]).toContain(`  ${viewer.organisation.name}  `)
  })

  test('assessments: open, complete at several levels, and one whose pool was too small; some pairs are free', async () => {
    const assessments = await database.client.assessment.findMany(here())
    expect(assessments.length).toBeGreaterThanOrEqual(20)
    expect(new Set(assessments.map(({ status }) => status)).size).toBe(4)
    expect(new Set(assessments.map(({ intakeMode }) => intakeMode)).size).toBe(3)
    expect(new Set(assessments.map(({ overallRiskLevel }) => overallRiskLevel))).toEqual(new Set(['LOW', 'MODERATE', 'HIGH', 'CRITICAL', null]))
    expect(assessments.some((it) => it.status !== 'COMPLETE' && JSON.stringify(it.sections).includes('"answerKey":"'))).toBe(true)
    expect(assessments.filter((it) => it.workflowErrorType === 'QUESTION_POOL_EXHAUSTED')).not.toEqual([])
    expect(assessments.some((it) => it.createdById !== null)).toBe(true)
  })

  test('records of each status, some expired; templates with and without validity', async () => {
    const records = await database.client.assessmentRecord.findMany(here())
    expect(records.length).toBeGreaterThanOrEqual(20)
    expect(new Set(records.map(({ status }) => status))).toEqual(new Set(['PENDING', 'PASSED', 'FAILED']))
    const expiries = records.flatMap(({ expiresAt }) => expiresAt ?? [])
    expect(expiries.some((it) => it < new Date())).toBe(true)
    expect(expiries.some((it) => it > new Date())).toBe(true)
    expect(records.some((it) => it.status === 'PASSED' && !it.expiresAt)).toBe(true)
    expect(records.some(({ folderId }) => folderId) && records.some(({ assessorId }) => assessorId)).toBe(true)
    const templates = await database.client.assessmentTemplate.findMany(here())
    expect(new Set(templates.map(({ validityDays }) => validityDays !== null))).toEqual(new Set([true, false]))
  })

  test('results with learning objectives, metadata and scales; line items with and without bounds', async () => {
    const results = await database.client.assessmentResult.findMany(here())
    expect(results.length).toBeGreaterThanOrEqual(30)
    expect(new Set(results.map(({ scoreStatus }) => scoreStatus)).size).toBe(5)
    expect(new Set(results.map(({ status }) => status)).size).toBe(2)
    expect(results.some(({ learningObjectiveSet }) => JSON.stringify(learningObjectiveSet) !== '[]')).toBe(true)
    expect(results.some(({ metadata }) => metadata !== null)).toBe(true)
    expect(results.some(({ scoreScaleId }) => scoreScaleId !== null)).toBe(true)
    const lineItems = await database.client.assessmentLineItem.findMany(here())
    expect(lineItems.some((it) => it.resultValueMax !== null && it.scoreScaleId !== null)).toBe(true)
    expect(lineItems.some((it) => it.resultValueMax === null)).toBe(true)
  })

  test('every version of every row has exactly one revision', async () => {
    const [assessments, records, results] = await Promise.all([
      database.client.assessment.findMany(),
      database.client.assessmentRecord.findMany(),
      database.client.assessmentResult.findMany(),
    ])
    const versions = [...assessments, ...records, ...results].flatMap(({ id, version }) =>
      Array.from({ length: version }, (_, index) => `${id} ${index + 1}`),
    )
    const revisions = await database.client.revision.findMany()
    const named = revisions.map((it) => `${it.assessmentId ?? it.assessmentRecordId ?? it.assessmentResultId ?? ''} ${it.version}`)
    expect(named.sort()).toEqual(versions.sort())
    expect(new Set(revisions.map(({ actor }) => actor))).toEqual(new Set(['system:import', 'system:seed']))
    expect(Math.max(...[...records, ...results].map(({ version }) => version))).toBeGreaterThan(1)
  })

  test('the second organisation has its own', async () => {
    const other = { where: { organisationId: { not: viewer.organisation.id } } }
    expect(await database.client.assessment.count(other)).toBeGreaterThan(0)
    expect(await database.client.assessmentRecord.count(other)).toBeGreaterThan(0)
    expect(await database.client.assessmentResult.count(other)).toBeGreaterThan(0)
  })

  // These two write: they come after whatever reads.
  test('each template draws for a free entity as the bank now is, but the one without enough questions', async () => {
    const [entities, templates, open] = await Promise.all([
      database.client.entity.findMany(here()),
      database.client.assessmentTemplate.findMany(here()),
      database.client.assessment.findMany({ where: { ...here().where, status: { not: 'COMPLETE' }, workflowState: 'ACTIVE' } }),
    ])
    const states: Record<string, string> = {}
    for (const template of templates) {
      const free = entities.find((entity) => !open.some((it) => it.entityId === entity.id && it.templateType === template.type))
      const created = await createAssessment({ store: database.client, viewer }, { input: { entityId: free?.id ?? '', templateId: template.id } })
      if (!('workflowState' in created)) throw new Error(JSON.stringify(created))
      states[template.sourcedId] = created.workflowState
    }
    const failed = Object.values(states).filter((state) => state === 'ERROR')
    expect(failed, JSON.stringify(states)).toHaveLength(1)
    expect(states).toHaveProperty('water-stewardship', 'ERROR')
  })

  test('a refresh renews, replaces, and fails to replace', async () => {
    const details = await refreshAssessments({ store: database.client, viewer, refreshTimeoutMs: 60_000 }, {})
    if (!Array.isArray(details)) throw new Error(JSON.stringify(details))
    expect(details.some(({ refreshedQids }) => refreshedQids.length > 0)).toBe(true)
    expect(details.some(({ replacements }) => replacements.length > 0)).toBe(true)
    expect(details.some(({ replacementFailures }) => replacementFailures.length > 0)).toBe(true)
    expect(new Set(details.map(({ status }) => status))).toEqual(new Set(['UPDATED', 'UNCHANGED', 'SKIPPED']))
  })

  test('run again, it adds nothing, revokes the old keys and makes new ones', async () => {
    const before = await database.client.assessment.count()
    await database.close()
    const second = await seed()
    database = await openDatabase({ dataDirectory: data })
    const renewed = second.stdout.trimEnd().split('\n')
    expect(renewed).toHaveLength(2)
    expect(await keptKeys(data)).toEqual(renewed)
    expect(await database.client.assessment.count()).toBe(before)
    expect(await database.client.organisation.count()).toBe(2)
    const authenticate = createAuthenticate(database.statements, undefined)
    for (const line of lines) expect(await authenticate(new Headers({ apikey: keyOf(line) }))).toBeNull()
    expect(await authenticate(new Headers({ apikey: keyOf(renewed[0]) }))).toMatchObject({ organisation: { id: viewer.organisation.id } })
  })

  test('in production it makes no keys', async () => {
    const { code, stdout, stderr } = await seed({ NODE_ENV: 'production' })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('production')
  })
})

describe('npm start', { timeout: 180_000 }, () => {
  const data = join(directory.path, 'started')

  test('on nothing: fills the database, and shows keys that work', async () => {
    const lines = await runGateway({ DATA_DIR: data }, async ({ url, lines: printed }) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', apikey: keyOf(printed[0]) },
        body: '{"query":"{ viewer { organisation { name } user { subject } scopes } assessments { totalCount } }"}',
      })
      const name = printed[0]?.split('  ')[1]
      expect(await response.json()).toMatchObject({ data: { viewer: { organisation: { name }, user: { subject: 'demo' }, scopes } } })
      const page = await (await fetch(url, { headers: { accept: 'text/html' } })).text()
      expect(page).toContain(keyOf(printed[0]))
      expect(page).not.toContain(keyOf(printed[1]))
    })
    expect(lines.filter(isKeyLine)).toHaveLength(2)
    expect(await keptKeys(data)).toEqual(lines.filter(isKeyLine))
  })

  test('on a host that others reach: no key is shown, and no page has one', async () => {
    const kept = await keptKeys(data)
    const shown = await runGateway({ DATA_DIR: data, HOST: '0.0.0.0' }, async ({ url }) => {
      const page = await (await fetch(url, { headers: { accept: 'text/html' } })).text()
      expect(page).toContain('GraphiQL')
      for (const line of kept) expect(page).not.toContain(keyOf(line))
    })
    expect(shown.filter(isKeyLine)).toEqual([])
    expect(await keptKeys(data)).toEqual(kept)
  })

  test('in production: nothing is filled, and no key is made', async () => {
    const fresh = join(directory.path, 'production')
    expect((await runGateway({ DATA_DIR: fresh, NODE_ENV: 'production' })).filter(isKeyLine)).toEqual([])
    await expect(keptKeys(fresh)).rejects.toThrow()
    const database = await openDatabase({ dataDirectory: fresh })
    expect(await database.client.organisation.count()).toBe(0)
    await database.close()
  })

  test('keys are kept while they work, and replaced when one does not', async () => {
    const lines = await keptKeys(data)
    const database = await openDatabase({ dataDirectory: data })
    const keys = async () => (await keptDemoKeys(database.client, data)).map(({ name, key }) => `demo key  ${name}  ${key}`)
    expect(await keys()).toEqual(lines)
    const [first] = await database.client.apiKey.findMany({ where: { revokedAt: null }, orderBy: { id: 'desc' }, take: 1 })
    await database.client.apiKey.update({ where: { id: first?.id ?? '' }, data: { revokedAt: new Date() } })
    const replaced = await keys()
    expect(replaced).toHaveLength(2)
    expect(replaced.filter((line) => lines.includes(line))).toEqual([])
    expect(await keptKeys(data)).toEqual(replaced)
    const authenticate = createAuthenticate(database.statements, undefined)
    const viewers = await Promise.all([...lines, ...replaced].map((line) => authenticate(new Headers({ apikey: keyOf(line) }))))
    expect(viewers.map((it) => it !== null)).toEqual([false, false, true, true])
    await database.close()
  })
})
