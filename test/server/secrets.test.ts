// No secret in a log: strings that stand for secrets are sent wherever one can stand, and looked for in
// all that the gateway wrote and answered.
import { randomUUID } from 'node:crypto'
import { connect, createServer as createTcpServer, type Socket } from 'node:net'
import { once } from 'node:events'
import { PrismaPg } from '@prisma/adapter-pg'
import { SignJWT } from 'jose'
import pg from 'pg'
import pino from 'pino'
import { expect, inject, test } from 'vitest'
import { z } from 'zod'
import { createAuthenticate } from '../../src/server/authentication.js'
import { PrismaClient } from '../../src/generated/prisma/client.js'
import { createSession } from '../../src/organisations/service.js'
import { PreparedStatements } from '../../src/database/prepared-statements.js'
import { createServer } from '../../src/server/server.js'
import { createStore } from '../../src/sql-store/index.js'
import type { JwtSettings } from '../../src/server/tokens.js'
import { isFailure } from '../../src/domain/failures.js'
import { afterTest, seededDirectory, startGateway } from '../gateway-process.js'
import { database, db, dependencies } from '../gateway.js'
import { runCommand } from '../processes.js'
import { anOrganisation } from '../story.js'

type Headers = [string, string][]
interface Sent {
  path?: string
  headers: Headers
  body?: string
}
/** Sends over HTTP or to the server itself: the whole answer as text. */
type Send = (request: Sent) => Promise<string>

/* ---- what is sent -------------------------------------------------------------------------------- */

const JWT_SECRET = `signing-${randomUUID()}`

/** Sends every kind of request; what may be in no log, and what may be in no answer either. */
async function sendSecrets(send: Send, good: Headers) {
  const logs: string[] = [JWT_SECRET]
  const answers: string[] = [JWT_SECRET]
  const seen: string[] = []
  /** Something that a client would not show anybody. */
  const credential = () => {
    const text = `credential-${randomUUID()}`
    logs.push(text)
    answers.push(text)
    return text
  }
  /** Something that only the client itself may be shown. */
  const content = () => {
    const text = `content_${randomUUID().replaceAll('-', '')}`
    logs.push(text)
    return text
  }
  const ask = async (request: Sent) => void seen.push(await send(request))
  const viewer = JSON.stringify({ query: '{ viewer { scopes } }' })

  for (const [, value] of good) {
    const secret = value.replace(/^Bearer /, '')
    // A token's parts are secrets as well, except for what every token starts with.
    const parts = secret.includes('.') ? [secret, ...secret.split('.').slice(1)] : [secret]
    logs.push(...parts)
    answers.push(...parts)
  }
  const encoded = (text: string) => {
    const base64 = Buffer.from(text).toString('base64url')
    logs.push(base64)
    answers.push(base64)
    return base64
  }
  const token = (key: string) =>
    new SignJWT({ note: credential(), organisation_id: randomUUID() })
      .setProtectedHeader({ alg: 'HS256' }).setIssuer('https://issuer.test/').setAudience('gateway').setSubject(credential()).setExpirationTime('5m')
      .sign(new TextEncoder().encode(key))

  const bad: Headers = [
    ...['apikey', 'x-api-key', 'x-session-token'].flatMap((name): Headers => [[name, credential()], [name, `agk_${credential()}`], [name, `"${credential()}\t;,`], [name, `${credential()}${'x'.repeat(4_000)}`]]),
    ['authorization', `Bearer ${credential()}`],
    ['authorization', `Bearer ${await token(JWT_SECRET)}`],
    ['authorization', `Bearer ${await token(credential())}`],
    ['authorization', `Bearer ${Buffer.from('{"alg":"none"}').toString('base64url')}.${encoded(JSON.stringify({ sub: credential() }))}.`],
    ['authorization', `Bearer ${encoded(`{"alg":"${credential()}`)}.${credential()}.${credential()}`],
    // The only one for which the key server is asked.
    ['authorization', `Bearer ${encoded(`{"alg":"RS256","kid":"${credential()}"}`)}.${encoded(JSON.stringify({ sub: credential() }))}.${encoded(credential())}`],
    ['authorization', `Basic ${encoded(`user:${credential()}`)}`],
    ['authorization', credential()],
    ['cookie', `session=${credential()}; apikey=${credential()}`],
    ['proxy-authorization', `Bearer ${credential()}`],
  ]
  for (const header of [...good, ...bad]) {
    await ask({ headers: [header], body: viewer })
    const others: Headers = [...good.slice(0, 1), ['x-api-key', credential()]]
    for (const other of others) await ask({ headers: [header, other], body: viewer })
    await ask({ headers: [header], body: '{"query":' })
  }

  for (const path of ['/graphql', '/health', '/ready', '/', `/${credential()}`, `/graphql/${credential()}`]) {
    const query = new URLSearchParams({ query: `{ ${content()} }`, apikey: credential(), access_token: credential(), 'x-session-token': credential() })
    await ask({ path: `${path}?${String(query)}`, headers: good.slice(0, 1) })
    await ask({ path: `${path}?${String(query)}`, headers: [['accept', 'text/html']] })
    await ask({ path: `${path}?${String(query)}`, headers: good.slice(0, 1), body: viewer })
  }

  const put = 'mutation ($sourcedId: ID!, $input: PutAssessmentResultInput!) { putAssessmentResult(sourcedId: $sourcedId, input: $input) { __typename } }'
  const input = () => ({
    status: 'ACTIVE', assessmentLineItemSourcedId: content(), studentSourcedId: content(), scoreDate: '2026-03-04T10:30:00Z', scoreStatus: 'SUBMITTED',
    comment: content(), textScore: content(), metadata: { [content()]: content() },
  })
  const bodies: object[] = [
    { query: put, variables: { sourcedId: content(), input: input() } },
    { query: put, variables: { sourcedId: content(), input: { ...input(), score: content(), [content()]: content() } } },
    { query: put, variables: { sourcedId: content(), input: content() } },
    { query: put, variables: [content()] },
    { query: put, variables: content() },
    { query: `mutation { updateAssessment(id: "${content()}", input: { name: "${content()}" }) { __typename } } # ${content()}` },
    { query: `{ assessments(filter: { search: "${content()}", updatedSince: "${content()}" }) { nodes { id } } }` },
    { query: `{ assessments(after: "${content()}", filter: { search: "${content()}" }) { totalCount } }` },
    { query: `query ${content()} { ${content()} }`, operationName: content() },
    { query: `{ viewer { scopes "${content()}` },
    { query: '{ viewer { scopes } }', extensions: { token: content(), persistedQuery: { version: 1, sha256Hash: content() } } },
    { documentId: content(), variables: { secret: content() } },
    { query: `subscription { assessmentChanged(id: "${content()}") { version } }` },
    [{ query: `{ ${content()} }` }],
  ]
  for (const body of bodies) await ask({ headers: good.slice(0, 1), body: JSON.stringify(body) })
  for (const body of [`{"query": ${content()}`, content(), `"${content()}"`, `query=${content()}`]) await ask({ headers: good.slice(0, 1), body })
  return { logs, answers, seen: seen.join('\n') }
}

/** None of the secrets stands in the text, as it is or as JSON or a URL would write it. */
function expectNone(text: string, secrets: string[], where: string): void {
  const found = secrets.filter((secret) => text.includes(secret))
  const lines = found.map((secret) => text.split('\n').find((line) => line.includes(secret))?.slice(0, 2_000))
  expect(lines, where).toEqual([])
}

/* ---- the server itself --------------------------------------------------------------------------- */

const claims = { organisationClaim: 'organisation_id', subjectClaim: 'sub', scopesClaim: 'scope' }
const bySecret: JwtSettings = { issuer: 'https://issuer.test/', audience: 'gateway', algorithms: ['HS256'], key: { secret: new TextEncoder().encode(JWT_SECRET) }, ...claims }

async function goodCredentials(): Promise<Headers> {
  const organisation = await anOrganisation()
  await organisation.user({ subject: 'ada' })
  const session = await createSession(db, { organisationId: organisation.id, subject: 'ada', scopes: ['RESULTS_WRITE'], minutes: 5 })
  if (isFailure(session)) throw new Error(session.message)
  const jwt = await new SignJWT({ organisation_id: organisation.id, sub: 'ada', iss: 'https://issuer.test/', aud: 'gateway' })
    .setProtectedHeader({ alg: 'HS256' }).setExpirationTime('5m').sign(new TextEncoder().encode(JWT_SECRET))
  return [['apikey', organisation.key], ['x-api-key', await organisation.keyWith(['RESULTS_READ'])], ['x-session-token', session.token], ['authorization', `Bearer ${jwt}`]]
}

function serverWith({ client, statements }: Pick<typeof database, 'client' | 'statements'>, jwt: JwtSettings) {
  const lines: string[] = []
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
  const server = createServer({ ...dependencies, store: createStore(client, statements), authenticate: createAuthenticate(statements, { ...jwt, log }), log })
  const send: Send = async ({ path = '/graphql', headers, body }) => {
    const all = new Headers([['content-type', 'application/json'], ...headers])
    const response = await server.fetch(`http://gateway.test${path}`, { method: body === undefined ? 'GET' : 'POST', headers: all, ...(body !== undefined && { body }) })
    return JSON.stringify([response.status, ...response.headers, await response.text()])
  }
  return { send, lines }
}

test('the server logs and answers no secret, also when a write fails unexpectedly', async () => {
  const good = await goodCredentials()
  const { send, lines } = serverWith(database, bySecret)
  const { logs, answers, seen } = await sendSecrets(send, good)
  const organisation = await anOrganisation()
  const { id, sourcedId } = await organisation.result()
  const taken = { assessmentResultId: id, organisationId: organisation.id, version: 2, changedPaths: [], actor: 'system:test', changedAt: new Date() }
  await db.revision.create({ data: taken })
  const secret = `comment-${randomUUID()}`
  const input = await organisation.resultInput({ comment: secret, metadata: { secret } })
  const query = `mutation ($sourcedId: ID!, $input: PutAssessmentResultInput!) { putAssessmentResult(sourcedId: $sourcedId, input: $input) { __typename } }`
  const answer = await send({ headers: [['apikey', organisation.key]], body: JSON.stringify({ query, variables: { sourcedId, input } }) })
  expect(answer).toContain('INTERNAL_SERVER_ERROR')
  expect(lines.join('')).toContain('unexpected error')
  expectNone(lines.join(''), [...logs, secret, organisation.key], 'log')
  expectNone(seen + answer, [...answers, organisation.key], 'answers')
})

test('the server logs and answers no secret while neither database nor key server answers', async () => {
  const password = `password-${randomUUID()}`
  const pool = new pg.Pool({ connectionString: `postgres://gateway:${password}@127.0.0.1:1/gateway` })
  const gone = { client: new PrismaClient({ adapter: new PrismaPg(pool) }), statements: new PreparedStatements(pool, true, () => {}) }
  afterTest(() => gone.client.$disconnect())
  const jwksUrl = new URL('http://127.0.0.1:1/keys')
  const { send, lines } = serverWith(gone, { ...bySecret, algorithms: ['RS256'], key: { jwksUrl, maximumAgeMs: 600_000 } })
  const { logs, answers, seen } = await sendSecrets(send, await goodCredentials())
  expect(seen).toContain('INTERNAL_SERVER_ERROR')
  expect(lines.join('')).toContain('unexpected error')
  expectNone(lines.join(''), [...logs, password], 'log')
  expectNone(seen, [...answers, password], 'answers')
})

/* ---- the process --------------------------------------------------------------------------------- */

/** Writes the request itself, so that a header can come twice and a target can be anything. */
function overHttp(url: string): Send {
  const { hostname, port } = new URL(url)
  return async ({ path = '/graphql', headers, body }) => {
    const socket = connect(Number(port), hostname)
    let answer = ''
    socket.on('data', (chunk) => (answer += String(chunk)))
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
    const content = body === undefined ? '' : `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`
    socket.write(`${body === undefined ? 'GET' : 'POST'} ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${content}${lines}\r\n${body ?? ''}`)
    await once(socket, 'close')
    return answer
  }
}

const jwt = { JWT_ISSUER: 'https://issuer.test/', JWT_AUDIENCE: 'gateway', JWT_ALGORITHMS: 'HS256', JWT_SECRET }

test('the process writes no secret to its output but the demo keys that it shows', async () => {
  const gateway = await startGateway({ DATA_DIR: await seededDirectory(), LOG_LEVEL: 'trace', ...jwt }).listening()
  const [key = ''] = gateway.keys
  const { logs, answers, seen } = await sendSecrets(overHttp(gateway.url), [['apikey', key]])
  expect(await gateway.stop()).toBe(0)
  expect(gateway.stderr).toContain('"level":20')
  const shown = gateway.stdout.split('\n').filter((line) => !line.startsWith('demo key  ')).join('\n')
  expectNone(shown + gateway.stderr, logs, 'output')
  // GraphiQL's page comes with the demo key.
  expectNone(seen, answers.filter((secret) => secret !== key), 'answers')
})

const location = inject('database')
test.runIf('url' in location)('the process writes no secret to its output when the database is gone', async () => {
  const { url, cut } = await wireTo('url' in location ? location.url : '')
  const gateway = await startGateway({ DATABASE_URL: url, LOG_LEVEL: 'trace', ...jwt }).listening()
  const good = await goodCredentials()
  const send = overHttp(gateway.url)
  for (const header of good) expect(await send({ headers: [header], body: '{"query":"{ viewer { scopes } }"}' })).toContain('200 OK')
  cut()
  const { logs, answers, seen } = await sendSecrets(send, good)
  expect(seen).toContain('SERVICE_UNAVAILABLE')
  await gateway.stop()
  expect(gateway.stderr).toContain('interrupted')
  expectNone(gateway.stdout + gateway.stderr, [...logs, 'wire-password'], 'output')
  expectNone(seen, [...answers, 'wire-password'], 'answers')
})

/** A way to the database that can be cut. */
async function wireTo(target: string): Promise<{ url: string; cut(): void }> {
  const url = new URL(target)
  const port = Number(url.port || '5432')
  const sockets = new Set<Socket>()
  const server = createTcpServer((near) => {
    const far = connect(port, url.hostname)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
    }
    near.pipe(far).pipe(near)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  afterTest(() => Promise.resolve(cut()))
  url.host = `127.0.0.1:${z.object({ port: z.number() }).parse(server.address()).port}`
  if (url.password === '') url.password = 'wire-password'
  return { url: url.href, cut }
}

test('a start that fails without its database does not show its password', async () => {
  const password = `password-${randomUUID()}`
  const env = { PORT: '0', LOG_LEVEL: 'trace', DATABASE_URL: `postgres://gateway:${password}@127.0.0.1:1/gateway`, ...jwt }
  const { code, stdout, stderr } = await runCommand('src/main.js', [], env)
  expect(code).toBe(1)
  expect(stderr).not.toBe('')
  expectNone(stdout + stderr, [password, JWT_SECRET], 'output')
})
