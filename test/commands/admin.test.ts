// npm run admin and npm run migrate: as processes on a database that has nothing in it, and what they refuse.
import { access, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { readCommand } from '../../src/commands/admin-commands.js'
import { createAuthenticate } from '../../src/server/authentication.js'
import { openDatabase } from '../../src/database/client.js'
import { scopes } from '../../src/domain/scopes.js'
import { StartError } from '../../src/process/start-error.js'
import { db } from '../gateway.js'
import { runCommand, temporaryDirectory } from '../processes.js'
import { anOrganisation } from '../story.js'

const directory = await temporaryDirectory()
afterAll(() => directory.remove())

const SEVERAL_PROCESSES_MS = 180_000

describe('as processes', () => {
  /** The run's own PostgreSQL, or an embedded database of this file's own. */
  const place = inject('database')
  const env: Record<string, string> = 'url' in place ? { DATABASE_URL: place.url } : { DATA_DIR: join(directory.path, 'data') }
  const admin = (...args: string[]) => runCommand('src/commands/admin.js', args, env)

  async function answerOf<Schema extends z.ZodType>(schema: Schema, ...args: string[]): Promise<z.output<Schema>> {
    const { code, stdout, stderr } = await admin(...args)
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`)
    return schema.parse(JSON.parse(stdout))
  }

  /** Whom each of these headers stands for, asked of the database itself. */
  async function viewersOf(...credentials: Record<string, string>[]) {
    const database = await openDatabase('url' in place ? { ...place, poolSize: 1 } : { dataDirectory: env['DATA_DIR'] ?? '' })
    try {
      const authenticate = createAuthenticate(database.statements, undefined)
      return await Promise.all(credentials.map((headers) => authenticate(new Headers(headers))))
    } finally {
      await database.close()
    }
  }

  const credential = { id: z.uuid(), scopes: z.array(z.enum(scopes)) }

  test('from nothing: organisation, key, import, session, revocation', { timeout: SEVERAL_PROCESSES_MS }, async () => {
    const organisation = await answerOf(
      z.strictObject({ id: z.uuid(), companyId: z.int(), name: z.literal('Acme & Söhne') }),
      'create-organisation',
      'Acme & Söhne',
    )
    const file = join(directory.path, 'users.json')
    await writeFile(file, JSON.stringify({ users: [{ sourcedId: 'u1', subject: 'auth0|1', name: 'Ada' }] }))
    const imported = await admin('import', organisation.id, file)
    expect(imported.code).toBe(0)
    expect(imported.stderr).toContain('users: 1 created, 0 updated, 0 unchanged\n')
    expect(JSON.parse(imported.stdout)).toMatchObject({ users: { created: 1 }, records: { created: 0 } })

    const keySchema = z.strictObject({ ...credential, key: z.string().startsWith('agk_') })
    const key = await answerOf(keySchema, 'create-key', organisation.id, '--scopes', 'RESULTS_READ,ASSESSMENTS_WRITE')
    expect(key.scopes).toEqual(['ASSESSMENTS_WRITE', 'RESULTS_READ'])
    const personal = await answerOf(keySchema, 'create-key', organisation.id, '--scopes', 'RECORDS_READ', '--user', 'auth0|1')
    const session = await answerOf(
      z.strictObject({ ...credential, token: z.string().startsWith('ags_'), expiresAt: z.iso.datetime() }),
      ...['create-session', organisation.id, '--user', 'auth0|1', '--scopes', 'RECORDS_READ', '--minutes', '5'],
    )
    expect(Math.abs(Date.parse(session.expiresAt) - Date.now() - 5 * 60_000)).toBeLessThan(60_000)
    const credentials: Record<string, string>[] = [{ apikey: key.key }, { apikey: personal.key }, { 'x-session-token': session.token }]
    expect(await viewersOf(...credentials)).toMatchObject([
      { organisation: { name: 'Acme & Söhne' }, user: null, actor: `key:${key.id}` },
      { user: { name: 'Ada' } },
      { user: { name: 'Ada' }, actor: `session:${session.id}` },
    ])

    await answerOf(z.strictObject({ id: z.literal(key.id), revokedAt: z.iso.datetime() }), 'revoke-key', key.id)
    expect((await viewersOf(...credentials)).map((viewer) => viewer !== null)).toEqual([false, true, true])
  })

  test('a wrong command line is a sentence and the usage on standard error, and opens no database', async () => {
    const dataDirectory = join(directory.path, 'untouched')
    const { code, stdout, stderr } = await runCommand('src/commands/admin.js', ['drop-organisation'], { DATA_DIR: dataDirectory })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^There is no command "drop-organisation"\.\nUsage:\n {2}npm run admin -- create-organisation NAME\n/)
    await expect(access(dataDirectory)).rejects.toThrow()
  })

  test('what cannot be done is a sentence on standard error, and no stack', { timeout: SEVERAL_PROCESSES_MS }, async () => {
    expect(await admin('revoke-key', 'agk_x')).toEqual({ code: 1, stdout: '', stderr: 'There is no such organisation, user or key: agk_x.\n' })
    const { code, stdout, stderr } = await runCommand('src/commands/admin.js', ['revoke-key', 'agk_x'], { DATABASE_URL: 'mysql://nowhere' })
    expect({ code, stdout, lines: stderr.trim().split('\n').length }).toEqual({ code: 1, stdout: '', lines: 1 })
    expect(stderr).toContain('DATABASE_URL')
  })

  test('migrate says what it applied, and a second time that there was nothing to do', { timeout: SEVERAL_PROCESSES_MS }, async () => {
    const data = join(directory.path, 'migrated')
    const first = await runCommand('src/commands/migrate.js', [], { DATA_DIR: data })
    expect(first.code).toBe(0)
    expect(first.stdout).toMatch(/^applied {2}\d{14}_init\napplied {2}/)
    const second = await runCommand('src/commands/migrate.js', [], { DATA_DIR: data })
    expect(second).toMatchObject({ code: 0, stdout: 'Nothing to apply: the database is up to date.\n' })
  })

  test('migrate, seed and admin are npm scripts that build first', async () => {
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')))
    expect(scripts).toMatchObject({
      migrate: 'npm run -s build && exec node dist/src/commands/migrate.js',
      seed: 'npm run -s build && exec node dist/prisma/seed.js',
      admin: 'npm run -s build && exec node dist/src/commands/admin.js',
    })
  })
})

describe('what is refused', () => {
  const nobody = '01234567-89ab-4def-8123-456789abcdef'

  /** The sentence that a command line is answered with. */
  async function sentenceOf(...args: string[]): Promise<string> {
    try {
      return JSON.stringify(await readCommand(args)(db))
    } catch (error) {
      if (error instanceof StartError) return error.message
      throw error
    }
  }

  test.each([
    { args: [], says: 'A command is needed.' },
    { args: ['create-organisation'], says: 'create-organisation: 1 argument is needed, not 0.' },
    { args: ['create-organisation', 'Acme', 'Coffee'], says: 'create-organisation: 1 argument is needed, not 2.' },
    { args: ['create-key', nobody], says: 'create-key: --scopes: It is needed.' },
    { args: ['create-key', nobody, '--scopes', 'RESULTS_READ,ROOT'], says: 'create-key: --scopes: There is no scope "ROOT"' },
    { args: ['create-key', nobody, '--scopes', ''], says: 'create-key: --scopes: There is no scope ""' },
    { args: ['create-key', nobody, '--scopes', 'RESULTS_READ', '--minutes', '5'], says: "create-key: Unknown option '--minutes'." },
    { args: ['create-session', nobody, '--user', 'u', '--scopes', 'RESULTS_READ'], says: 'create-session: --minutes: It is needed.' },
    { args: ['create-session', nobody, '--user', 'u', '--scopes', 'RESULTS_READ', '--minutes', '0'], says: 'create-session: --minutes: A whole number' },
    { args: ['create-session', nobody, '--user', 'u', '--scopes', 'RESULTS_READ', '--minutes', '1.5'], says: 'create-session: --minutes: A whole number' },
    { args: ['import', nobody], says: 'import: 2 arguments are needed, not 1.' },
  ])('$args, with the usage', async ({ args, says }) => {
    const sentence = await sentenceOf(...args)
    expect(sentence.slice(0, says.length)).toBe(says)
    expect(sentence).toContain(`npm run admin -- ${args[0] ?? 'create-organisation'}`)
  })

  test('what is not there, or may not be', async () => {
    const { id } = await anOrganisation()
    const notJson = join(directory.path, 'broken.json')
    await writeFile(notJson, '{ "users": ')
    const empty = join(directory.path, 'empty.json')
    await writeFile(empty, '{}')
    expect(await sentenceOf('create-organisation', '')).toBe('name: At least 1 character is needed.')
    expect(await sentenceOf('create-key', nobody, '--scopes', 'RESULTS_READ')).toMatch(new RegExp(`^There is no such .*${nobody}\\.$`))
    expect(await sentenceOf('create-key', id, '--scopes', 'RESULTS_READ', '--user', 'ghost')).toMatch(/^There is no such .*ghost\.$/)
    expect(await sentenceOf('create-session', id, '--user', 'ghost', '--scopes', 'RESULTS_READ', '--minutes', '5')).toMatch(/^There is no such .*ghost\.$/)
    expect(await sentenceOf('revoke-key', nobody)).toMatch(new RegExp(`^There is no such .*${nobody}\\.$`))
    expect(await sentenceOf('import', nobody, empty)).toMatch(new RegExp(`^There is no such .*${nobody}\\.$`))
    expect(await sentenceOf('import', id, 'nowhere.json')).toBe('The file nowhere.json cannot be read.')
    expect(await sentenceOf('import', id, notJson)).toMatch(/^The file .*broken\.json is not JSON in UTF-8: .*\.$/)
  })

  test('a file, with a line for each issue', async () => {
    const { id } = await anOrganisation()
    const file = join(directory.path, 'issues.json')
    const refuse = async (content: object) => {
      await writeFile(file, JSON.stringify(content))
      return (await sentenceOf('import', id, file)).split('\n')
    }
    const lineItems = [{ sourcedId: 'l1', title: 'T', resultValueMin: 2, resultValueMax: 1 }]
    expect((await refuse({ users: [{ sourcedId: 'u1' }], lineItems })).map((line) => line.split(':')[0])).toEqual(['users.0.name', 'lineItems.0'])
    const records = [{ sourcedId: 'r1', userSourcedId: 'ghost', assessmentDefinitionSourcedId: 'ghost', status: 'PENDING' }]
    expect(await refuse({ users: [{ sourcedId: 'u1', name: 'Ada' }], records })).toEqual([
      'records.0.userSourcedId: There is no user "ghost", neither in this file nor in the organisation.',
      'records.0.assessmentDefinitionSourcedId: There is no template "ghost", neither in this file nor in the organisation.',
    ])
    expect(await db.user.count({ where: { organisationId: id } })).toBe(0)
  })

  test('revoking a key twice is not: the first time stays', async () => {
    const { id } = await anOrganisation()
    const key = await db.apiKey.findFirstOrThrow({ where: { organisationId: id } })
    const first = await readCommand(['revoke-key', key.id])(db)
    expect(first).toMatchObject({ id: key.id })
    expect(first).not.toMatchObject({ revokedAt: null })
    expect(await readCommand(['revoke-key', key.id])(db)).toEqual(first)
  })
})
