// Who gets in: each credential, and everything that is wrong with one. Nobody else learns anything.
import { createServer as createHttpServer } from 'node:http'
import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { once } from 'node:events'
import { exportJWK, exportSPKI, generateKeyPair, importJWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import pino from 'pino'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { createAuthenticate } from '../../src/server/authentication.js'
import { createSession, revokeKey } from '../../src/organisations/service.js'
import { createServer } from '../../src/server/server.js'
import type { JwtSettings } from '../../src/server/tokens.js'
import { isFailure } from '../../src/domain/failures.js'
import { type Scope, scopes as allScopes } from '../../src/domain/scopes.js'
import { database, db, dependencies, statementsOf } from '../gateway.js'
import { anOrganisation } from '../story.js'

/* ---- two gateways: tokens signed with a shared secret, and with keys that a server publishes ------- */

const issuer = 'https://issuer.test/'
const audience = 'assessment-gateway'
const claims = { organisationClaim: 'organisation_id', subjectClaim: 'sub', scopesClaim: 'scope' }
const secret = new TextEncoder().encode('a shared secret of more than 32 characters')
const bySecret: JwtSettings = { issuer, audience, algorithms: ['HS256'], key: { secret }, ...claims }

/** The issuer's key server; `isDown` makes it fail. */
const published = { keys: new Array<object>(), isDown: false, says: '', requests: 0 }
const keyServer = createHttpServer((_request, response) => {
  published.requests += 1
  response.writeHead(published.isDown ? 503 : 200, { 'content-type': 'application/json' })
  response.end(published.says || JSON.stringify({ keys: published.keys }))
})
keyServer.listen(0, '127.0.0.1')
await once(keyServer, 'listening')
const jwksUrl = new URL(`http://127.0.0.1:${z.object({ port: z.number() }).parse(keyServer.address()).port}/keys`)
const HOURS = 14_400_000
const byKeyServer: JwtSettings = { issuer, audience, algorithms: ['RS256', 'ES256'], key: { jwksUrl, maximumAgeMs: HOURS }, ...claims }
afterAll(() => keyServer.close())

async function keyPair(algorithm: 'RS256' | 'ES256', kid: string) {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
  return { algorithm, kid, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' } }
}
const rsa = await keyPair('RS256', 'rsa')
const ec = await keyPair('ES256', 'ec')
published.keys = [rsa.jwk, ec.jwk]

const logged: string[] = []
const log = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) })
function gatewayWith(jwt: JwtSettings | undefined) {
  return createServer({
    ...dependencies,
    authenticate: createAuthenticate(database.statements, jwt && { ...jwt, log }),
    log,
  })
}
type Gateway = ReturnType<typeof gatewayWith>
const gateway = gatewayWith(bySecret)
const keyServerGateway = gatewayWith(byKeyServer)

/* ---- requests ------------------------------------------------------------------------------------ */

type Credential = Record<string, string>

async function send(to: Gateway, headers: Credential | [string, string][], body: string): Promise<Response> {
  const all = new Headers(headers)
  all.set('content-type', 'application/json')
  return to.fetch('http://gateway.test/graphql', { method: 'POST', headers: all, body })
}

const viewerQuery = JSON.stringify({ query: '{ viewer { organisation { id } user { id } scopes } }' })
const viewerAnswer = z.strictObject({
  data: z.strictObject({
    viewer: z.strictObject({
      organisation: z.strictObject({ id: z.string() }),
      user: z.strictObject({ id: z.string() }).nullable(),
      scopes: z.array(z.enum(allScopes)),
    }),
  }),
  extensions: z.strictObject({ cost: z.unknown() }),
})

/** Whom the credential stands for; fails when it is refused. */
async function viewerOf(headers: Credential, to = gateway) {
  const response = await send(to, headers, viewerQuery)
  const body = await response.text()
  if (response.status !== 200) throw new Error(`${response.status} ${body}`)
  return viewerAnswer.parse(JSON.parse(body)).data.viewer
}

const refusal = z.strictObject({
  errors: z.tuple([z.strictObject({ message: z.string(), extensions: z.strictObject({ code: z.literal('UNAUTHENTICATED') }) })]),
})

/** Fails unless the answer is the one 401 that everybody gets; the SQL statements that it took. */
async function refusalOf(headers: Credential | [string, string][], to = gateway, body = viewerQuery): Promise<string[]> {
  const answers: { status: number; body: string; challenge: string | null }[] = []
  const statements = await statementsOf(async () => {
    const response = await send(to, headers, body)
    answers.push({ status: response.status, body: await response.text(), challenge: response.headers.get('www-authenticate') })
  })
  expect(answers).toMatchObject([{ status: 401, challenge: 'Bearer' }])
  refusal.parse(JSON.parse(answers[0]?.body ?? ''))
  return statements
}

/* ---- credentials --------------------------------------------------------------------------------- */

const bearer = (token: string): Credential => ({ authorization: `Bearer ${token}` })
const seconds = (offset: number) => Math.floor(Date.now() / 1000) + offset

/** Good claims but for what is given; undefined leaves a claim out. */
function claimsOf(organisationId: string, changed: JWTPayload = {}): JWTPayload {
  const all: JWTPayload = { iss: issuer, aud: audience, exp: seconds(300), sub: 'auth0|ada', organisation_id: organisationId, scope: 'RESULTS_READ' }
  return Object.fromEntries(Object.entries({ ...all, ...changed }).filter(([, value]) => value !== undefined))
}

const signed = (organisationId: string, changed?: JWTPayload, key = secret, alg = 'HS256') =>
  new SignJWT(claimsOf(organisationId, changed)).setProtectedHeader({ alg }).sign(key)

const signedBy = ({ algorithm, kid, privateKey }: typeof rsa, organisationId: string, changed?: JWTPayload) =>
  new SignJWT(claimsOf(organisationId, changed)).setProtectedHeader({ alg: algorithm, kid }).sign(privateKey)

async function aSession(organisationId: string, subject: string, scopes: Scope[] = ['RESULTS_READ']) {
  const session = await createSession(db, { organisationId, subject, scopes, minutes: 5 })
  if (isFailure(session)) throw new Error(session.message)
  return session
}

/** One of each kind, all of them good, by the header that carries it. */
async function goodCredentials(): Promise<[string, string][]> {
  const organisation = await anOrganisation()
  await organisation.user({ subject: 'auth0|ada' })
  const session = await aSession(organisation.id, 'auth0|ada')
  return [
    ['apikey', organisation.key],
    ['x-api-key', await organisation.keyWith(['RESULTS_READ'])],
    ['x-session-token', session.token],
    ['authorization', `Bearer ${await signed(organisation.id)}`],
  ]
}

const keyLookUp = [expect.stringContaining('FROM "ApiKey"')]
const sessionLookUp = [expect.stringContaining('FROM "Session"')]
const organisationLookUp = [expect.stringContaining('FROM unnest($1::uuid[], $2::text[])')]

/* ---- API keys ------------------------------------------------------------------------------------ */

test('credentials of requests that arrive together are looked up by one statement, each for its own request', async () => {
  const organisations = await Promise.all([anOrganisation(), anOrganisation(), anOrganisation()])
  const expected = organisations.flatMap(({ key, id }) => [[key, id], [key, id], [randomUUID(), null]] as const)
  const answers: (string | null)[] = []
  const statements = await statementsOf(async () => {
    const responses = await Promise.all(expected.map(([key]) => send(gateway, { apikey: key }, viewerQuery)))
    for (const response of responses) {
      answers.push(response.status === 401 ? null : viewerAnswer.parse(await response.json()).data.viewer.organisation.id)
    }
  })
  expect(answers).toEqual(expected.map(([, id]) => id))
  expect(statements).toHaveLength(1)
})

describe('an API key', () => {
  test('is taken from apikey and from X-API-Key, and names no user unless it was made for one', async () => {
    const organisation = await anOrganisation()
    const ada = await organisation.user({ subject: 'auth0|ada' })
    const personal = await organisation.keyWith(['RECORDS_READ'], 'auth0|ada')
    const everything = { organisation: { id: organisation.id }, user: null, scopes: [...allScopes] }
    expect(await viewerOf({ apikey: organisation.key })).toEqual(everything)
    expect(await viewerOf({ 'X-API-Key': organisation.key })).toEqual(everything)
    expect(await viewerOf({ ApiKey: personal })).toEqual({ organisation: { id: organisation.id }, user: { id: ada.id }, scopes: ['RECORDS_READ'] })
  })

  test('takes one statement to look up', async () => {
    const { key } = await anOrganisation()
    expect(await statementsOf(() => viewerOf({ apikey: key }))).toEqual(keyLookUp)
  })

  test('that is unknown, cut, continued or in another case is refused after the look-up', async () => {
    const { key } = await anOrganisation()
    for (const wrong of [`agk_${'x'.repeat(43)}`, key.slice(0, -1), `${key}x`, key.toUpperCase(), key.slice(4), `${key}, ${key}`]) {
      expect(await refusalOf({ apikey: wrong }), wrong).toEqual(keyLookUp)
      expect(await refusalOf({ 'x-api-key': wrong }), wrong).toEqual(keyLookUp)
    }
  })

  test('is worth nothing in another header', async () => {
    const { key } = await anOrganisation()
    expect(await refusalOf({ 'x-session-token': key })).toEqual(sessionLookUp)
    expect(await refusalOf(bearer(key))).toEqual([])
  })

  test('stops working with the very next request once it is revoked', async () => {
    const { key, id } = await anOrganisation()
    const { id: keyId } = await db.apiKey.findFirstOrThrow({ where: { organisationId: id } })
    await viewerOf({ apikey: key })
    await revokeKey(db, keyId)
    expect(await refusalOf({ apikey: key })).toEqual(keyLookUp)
  })
})

/* ---- sessions ------------------------------------------------------------------------------------ */

describe('a session', () => {
  test('is taken from X-Session-Token and stands for its user', async () => {
    const organisation = await anOrganisation()
    const ada = await organisation.user({ subject: 'auth0|ada' })
    const { token } = await aSession(organisation.id, 'auth0|ada')
    expect(await viewerOf({ 'X-Session-Token': token })).toEqual({
      organisation: { id: organisation.id },
      user: { id: ada.id },
      scopes: ['RESULTS_READ'],
    })
  })

  test('is refused once it has expired, and once it is gone', async () => {
    const organisation = await anOrganisation()
    await organisation.user({ subject: 'auth0|ada' })
    const { id, token } = await aSession(organisation.id, 'auth0|ada')
    await viewerOf({ 'x-session-token': token })
    await db.session.update({ where: { id }, data: { expiresAt: new Date(Date.now() - 1) } })
    expect(await refusalOf({ 'x-session-token': token })).toEqual(sessionLookUp)
    await db.session.delete({ where: { id } })
    expect(await refusalOf({ 'x-session-token': token })).toEqual(sessionLookUp)
  })

  test('that is unknown, or presented as something else, is refused', async () => {
    const organisation = await anOrganisation()
    await organisation.user({ subject: 'auth0|ada' })
    const { token } = await aSession(organisation.id, 'auth0|ada')
    expect(await refusalOf({ 'x-session-token': `${token}x` })).toEqual(sessionLookUp)
    expect(await refusalOf({ apikey: token })).toEqual(keyLookUp)
    expect(await refusalOf(bearer(token))).toEqual([])
  })
})

/* ---- what is stored ------------------------------------------------------------------------------ */

test('keys and sessions are 256 random bits of which only the SHA-256 is stored', async () => {
  const organisation = await anOrganisation()
  await organisation.user({ subject: 'auth0|ada' })
  const { token } = await aSession(organisation.id, 'auth0|ada')
  const rows = await db.$queryRaw<{ row: Record<string, unknown> }[]>`
    SELECT to_jsonb(k) AS row FROM "ApiKey" k WHERE "organisationId" = ${organisation.id}::uuid
    UNION ALL SELECT to_jsonb(s) FROM "Session" s WHERE "organisationId" = ${organisation.id}::uuid`
  const stored = JSON.stringify(rows).toLowerCase()
  for (const value of [organisation.key, token]) {
    expect(value).toMatch(/^ag[ks]_/)
    const random = Buffer.from(value.slice(4), 'base64url')
    expect(random).toHaveLength(32)
    for (const form of [value, value.slice(4), random.toString('base64'), random.toString('hex'), Buffer.from(value).toString('hex'), Buffer.from(value).toString('base64')]) {
      expect(stored).not.toContain(form.toLowerCase())
    }
    // bytea, as PostgreSQL writes it in JSON
    expect(stored).toContain(`"\\\\x${createHash('sha256').update(value).digest('hex')}"`)
  }
  expect(rows).toHaveLength(2)
})

/* ---- tokens -------------------------------------------------------------------------------------- */

describe('a token', () => {
  test('signed with the shared secret stands for the user with its subject', async () => {
    const organisation = await anOrganisation()
    const ada = await organisation.user({ subject: 'auth0|ada' })
    const viewer = { organisation: { id: organisation.id }, user: { id: ada.id }, scopes: ['RESULTS_READ'] }
    const token = await signed(organisation.id)
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) expect(await viewerOf({ authorization: `${scheme} ${token}` })).toEqual(viewer)
    expect(await viewerOf(bearer(await signed(organisation.id, { aud: ['other', audience] })))).toEqual(viewer)
    expect(await viewerOf(bearer(await signed(organisation.id, { nbf: seconds(-60) })))).toEqual(viewer)
    expect(await statementsOf(() => viewerOf(bearer(token)))).toEqual(organisationLookUp)
  })

  test('stands for its own subject, whatever others come with it', async () => {
    const [one, other] = [await anOrganisation(), await anOrganisation()]
    const people = [await one.user({ subject: 'ada' }), await one.user({ subject: 'bob' }), await other.user({ subject: 'ada' })]
    const tokens = [
      await signed(one.id, { sub: 'ada' }), await signed(randomUUID(), { sub: 'ada' }), await signed(one.id.toUpperCase(), { sub: 'bob' }),
      await signed(other.id, { sub: 'ada' }), await signed(other.id, { sub: 'bob' }), await signed(one.id, { sub: 'ada' }),
    ]
    const authenticate = createAuthenticate(database.statements, { ...bySecret, log })
    const viewers = await Promise.all(tokens.map((token) => authenticate(new Headers(bearer(token)))))
    expect(viewers.map((viewer) => viewer && [viewer.organisation.id, viewer.user?.id])).toEqual([
      [one.id, people[0]?.id], null, [one.id, people[1]?.id], [other.id, people[2]?.id], [other.id, undefined], [one.id, people[0]?.id],
    ])
  })

  test('signed with one of the published keys is taken, of each algorithm', async () => {
    const { id } = await anOrganisation()
    for (const key of [rsa, ec]) {
      expect(await viewerOf(bearer(await signedBy(key, id)), keyServerGateway)).toMatchObject({ organisation: { id } })
    }
  })

  test('is taken only where tokens are set up', async () => {
    const { id } = await anOrganisation()
    expect(await refusalOf(bearer(await signed(id)), gatewayWith(undefined))).toEqual([])
  })

  /** What is wrong with it, and the token. */
  const refused: Record<string, (id: string) => Promise<string>> = {
    'has no signature (alg none)': (id) => Promise.resolve(new UnsecuredJWT(claimsOf(id)).encode()),
    'is signed with another secret': (id) => signed(id, {}, new TextEncoder().encode('another secret of more than 32 characters')),
    'is signed with another algorithm': (id) => signed(id, {}, secret, 'HS384'),
    'was changed after it was signed': async (id) => {
      const [head = '', , signature = ''] = (await signed(id)).split('.')
      const payload = Buffer.from(JSON.stringify(claimsOf(id, { sub: 'admin' }))).toString('base64url')
      return [head, payload, signature].join('.')
    },
    'lost its signature': async (id) => (await signed(id)).replace(/[^.]*$/, ''),
    'is of another issuer': (id) => signed(id, { iss: 'https://other.test/' }),
    'names no issuer': (id) => signed(id, { iss: undefined }),
    'is for another audience': (id) => signed(id, { aud: 'another-gateway' }),
    'is for several other audiences': (id) => signed(id, { aud: ['a', 'b'] }),
    'names no audience': (id) => signed(id, { aud: undefined }),
    'never expires': (id) => signed(id, { exp: undefined }),
    'has expired': (id) => signed(id, { exp: seconds(-60) }),
    'is not valid yet': (id) => signed(id, { nbf: seconds(60) }),
    'is no token': () => Promise.resolve('not.a.token'),
  }
  for (const [wrong, tokenOf] of Object.entries(refused)) {
    test(`that ${wrong} is refused without a statement`, async () => {
      const { id } = await anOrganisation()
      expect(await refusalOf(bearer(await tokenOf(id)))).toEqual([])
    })
  }

  /** What is wrong with a well-signed one. */
  const unusable: Record<string, JWTPayload> = {
    'names no organisation': { organisation_id: undefined },
    'names an organisation by something else than a UUID': { organisation_id: 'acme' },
    'names an organisation by a number': { organisation_id: 7 },
    'names no subject': { sub: undefined },
    'names an empty subject': { sub: '' },
    'names a subject that cannot be stored': { sub: 'a\u0000b' },
  }
  for (const [wrong, changed] of Object.entries(unusable)) {
    test(`that ${wrong} is refused without a statement`, async () => {
      const { id } = await anOrganisation()
      expect(await refusalOf(bearer(await signed(id, changed)))).toEqual([])
    })
  }

  test('that names an unknown organisation is refused after the look-up', async () => {
    expect(await refusalOf(bearer(await signed(randomUUID())))).toEqual(organisationLookUp)
  })

  test('signed by nobody whom the key server names is refused without a statement', async () => {
    const { id } = await anOrganisation()
    const stranger = await keyPair('RS256', 'stranger')
    const impostor = { ...stranger, kid: rsa.kid }
    expect(await refusalOf(bearer(await signedBy(stranger, id)), keyServerGateway)).toEqual([])
    expect(await refusalOf(bearer(await signedBy(impostor, id)), keyServerGateway)).toEqual([])
    const unsigned = new UnsecuredJWT(claimsOf(id)).encode()
    expect(await refusalOf(bearer(unsigned), keyServerGateway)).toEqual([])
  })

  /** What is wrong with one that a published key has signed. */
  const refusedByKeyServer: Record<string, () => JWTPayload> = {
    'is of another issuer': () => ({ iss: 'https://other.test/' }),
    'names no issuer': () => ({ iss: undefined }),
    'is for another audience': () => ({ aud: 'another-gateway' }),
    'names no audience': () => ({ aud: undefined }),
    'never expires': () => ({ exp: undefined }),
    'has expired': () => ({ exp: seconds(-60) }),
    'is not valid yet': () => ({ nbf: seconds(60) }),
  }
  for (const [wrong, changed] of Object.entries(refusedByKeyServer)) {
    test(`signed with a published key that ${wrong} is refused without a statement`, async () => {
      const { id } = await anOrganisation()
      for (const key of [rsa, ec]) expect(await refusalOf(bearer(await signedBy(key, id, changed())), keyServerGateway)).toEqual([])
    })
  }

  test('signed with a published key by an algorithm that is not set is refused', async () => {
    const { id } = await anOrganisation()
    const before = published.requests
    const fresh = gatewayWith(byKeyServer)
    for (const alg of ['RS384', 'RS512', 'PS256']) {
      // The same key pair, taken for one of that algorithm.
      const key = await importJWK({ ...(await exportJWK(rsa.privateKey)), alg })
      const token = await new SignJWT(claimsOf(id)).setProtectedHeader({ alg, kid: rsa.kid }).sign(key)
      expect(await refusalOf(bearer(token), fresh), alg).toEqual([])
    }
    expect(published.requests).toBe(before)
  })

  test('that brings its own key, or the address of one, is refused, and nothing is fetched from there', async () => {
    const { id } = await anOrganisation()
    const stranger = await keyPair('RS256', rsa.kid)
    let fetched = 0
    const strangersServer = createHttpServer((_request, response) => {
      fetched += 1
      response.end(JSON.stringify({ keys: [stranger.jwk] }))
    })
    strangersServer.listen(0, '127.0.0.1')
    await once(strangersServer, 'listening')
    const url = `http://127.0.0.1:${z.object({ port: z.number() }).parse(strangersServer.address()).port}/keys`
    for (const header of [{ jwk: stranger.jwk }, { jku: url }, { x5u: url }, { jku: url, kid: 'theirs' }]) {
      const token = await new SignJWT(claimsOf(id)).setProtectedHeader({ alg: 'RS256', kid: rsa.kid, ...header }).sign(stranger.privateKey)
      expect(await refusalOf(bearer(token), keyServerGateway), JSON.stringify(header)).toEqual([])
    }
    expect(fetched).toBe(0)
    strangersServer.close()
  })

  test('signed with a public key as if that were a shared secret is refused, and the key server not even asked', async () => {
    const { id } = await anOrganisation()
    const before = published.requests
    const fresh = gatewayWith(byKeyServer)
    for (const text of [await exportSPKI(rsa.publicKey), JSON.stringify(rsa.jwk), String(rsa.jwk.n)]) {
      const forged = await new SignJWT(claimsOf(id)).setProtectedHeader({ alg: 'HS256', kid: rsa.kid }).sign(new TextEncoder().encode(text))
      expect(await refusalOf(bearer(forged), fresh)).toEqual([])
    }
    expect(published.requests).toBe(before)
  })

  test('of a subject without a user is a viewer without a user, and no user is made', async () => {
    const organisation = await anOrganisation()
    const other = await anOrganisation()
    await other.user({ subject: 'auth0|ada' })
    const token = await signed(organisation.id, { scope: allScopes.join(' ') })
    expect(await viewerOf(bearer(token))).toEqual({ organisation: { id: organisation.id }, user: null, scopes: [...allScopes] })
    expect(await db.user.count({ where: { organisationId: organisation.id } })).toBe(0)
  })

  test('is read by the claims that the settings name', async () => {
    const { id } = await anOrganisation()
    const renamed = gatewayWith({ ...bySecret, organisationClaim: 'https://example.test/tenant', subjectClaim: 'uid', scopesClaim: 'permissions' })
    const named = { 'https://example.test/tenant': id, uid: 'ada', permissions: ['RECORDS_READ'], organisation_id: undefined, sub: undefined }
    expect(await viewerOf(bearer(await signed(id, named)), renamed)).toEqual({ organisation: { id }, user: null, scopes: ['RECORDS_READ'] })
    expect(await refusalOf(bearer(await signed(id)), renamed)).toEqual([])
  })
})

describe('the key server', () => {
  afterEach(() => {
    published.keys = [rsa.jwk, ec.jwk]
    published.isDown = false
    published.says = ''
  })

  /** Asks until the token is taken: a new key is looked for at most once a second. */
  const becomesTaken = (token: string, by: Gateway) =>
    expect.poll(async () => (await send(by, bearer(token), viewerQuery)).status, { timeout: 20_000, interval: 100 }).toBe(200)

  test('may rotate its keys: a new one is found by its kid, and the old one is no longer taken', async () => {
    const { id } = await anOrganisation()
    const [first, second] = [await keyPair('ES256', 'first'), await keyPair('ES256', 'second')]
    published.keys = [first.jwk]
    const rotated = gatewayWith(byKeyServer)
    await viewerOf(bearer(await signedBy(first, id)), rotated)
    published.keys = [second.jwk]
    await becomesTaken(await signedBy(second, id), rotated)
    expect(await refusalOf(bearer(await signedBy(first, id)), rotated)).toEqual([])
  })

  test('is not asked again for a key that it has named', async () => {
    const { id } = await anOrganisation()
    const fresh = gatewayWith(byKeyServer)
    const before = published.requests
    await viewerOf(bearer(await signedBy(rsa, id)), fresh)
    await viewerOf(bearer(await signedBy(ec, id)), fresh)
    expect(published.requests).toBe(before + 1)
    published.isDown = true
    await viewerOf(bearer(await signedBy(rsa, id)), fresh)
  })

  test('that fails is told apart from a bad token, and the next request gets through once it is asked again', async () => {
    const { id } = await anOrganisation()
    const fresh = gatewayWith(byKeyServer)
    published.isDown = true
    const before = logged.length
    const response = await send(fresh, bearer(await signedBy(rsa, id)), viewerQuery)
    published.isDown = false
    expect(response.status).toBe(503)
    const failure = z.strictObject({ errors: z.tuple([z.strictObject({ message: z.string(), extensions: z.strictObject({ code: z.literal('SERVICE_UNAVAILABLE') }) })]) })
    expect(failure.parse(await response.json()).errors[0].message).not.toContain('JSON Web Key')
    expect(logged.slice(before).filter((line) => line.includes('JSON Web Key Set'))).toHaveLength(1)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 5_000 })
    await viewerOf(bearer(await signedBy(rsa, id)), fresh).finally(() => vi.useRealTimers())
  })

  test.each([
    ['what is no JSON', '<html>'],
    ['what is no key set', '{"keys":"none"}'],
    ['an error page', '{"error":"try later"}'],
  ])('that answers %s lets nobody in', async (_what, says) => {
    const { id } = await anOrganisation()
    const fresh = gatewayWith(byKeyServer)
    published.says = says
    for (const key of [rsa, await keyPair('RS256', 'stranger')]) {
      const response = await send(fresh, bearer(await signedBy(key, id)), viewerQuery)
      expect(response.status).toBe(503)
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE' } }] })
    }
  })

  const short = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const broken: Record<string, [algorithm: 'RS256' | 'ES256', jwk: object]> = {
    'of 1,024 bits': ['RS256', short.publicKey.export({ format: 'jwk' })],
    'without a modulus': ['RS256', { kty: 'RSA', e: 'AQAB' }],
    'with a modulus that is no number': ['RS256', { kty: 'RSA', e: 'AQAB', n: '???' }],
    'that is no point of its curve': ['ES256', { ...ec.jwk, x: ec.jwk.y, y: ec.jwk.x }],
    'with an empty curve': ['ES256', { kty: 'EC', crv: 'P-256', x: '', y: '' }],
    'that is a private one': ['RS256', short.privateKey.export({ format: 'jwk' })],
  }

  test.each(Object.entries(broken))('that publishes a key %s: its tokens are refused, one line of log a key tells, and other keys are good', async (_, [alg, jwk]) => {
    const { id } = await anOrganisation()
    const fresh = gatewayWith(byKeyServer)
    published.keys = [{ ...jwk, kid: 'broken', alg, use: 'sig' }, rsa.jwk]
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const content = `${part({ alg, kid: 'broken' })}.${part(claimsOf(id))}`
    const token = `${content}.${sign('sha256', Buffer.from(content), short.privateKey).toString('base64url')}`
    const before = logged.length
    for (let time = 0; time < 3; time += 1) expect(await refusalOf(bearer(token), fresh)).toEqual([])
    const lines = logged.slice(before).filter((line) => !/^{"level":[1-3]0,/.test(line))
    expect(lines).toEqual([expect.stringContaining('"kid":"broken"')])
    expect(lines[0]).toMatch(/^{"level":40,/)
    await viewerOf(bearer(await signedBy(rsa, id)), fresh)
  })

  test('that cannot be reached lets nobody in, and says when to try again', async () => {
    const { id } = await anOrganisation()
    const away = gatewayWith({ ...byKeyServer, key: { jwksUrl: new URL('http://127.0.0.1:1/keys'), maximumAgeMs: HOURS } })
    const response = await send(away, bearer(await signedBy(rsa, id)), viewerQuery)
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('5')
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE' } }] })
    expect(await refusalOf(bearer(new UnsecuredJWT(claimsOf(id)).encode()), away)).toEqual([])
  })

  describe('that is away for a while', () => {
    const MINUTE = 60_000
    afterEach(() => {
      vi.useRealTimers()
      published.isDown = false
    })
    /** A gateway that has fetched the keys, and a function that lets time go on. */
    async function fetched() {
      vi.useFakeTimers({ toFake: ['Date'] })
      published.keys = [rsa.jwk]
      const { id } = await anOrganisation()
      const fresh = gatewayWith(byKeyServer)
      const token = async () => bearer(await signedBy(rsa, id))
      await viewerOf(await token(), fresh)
      published.isDown = true
      const statusAfter = async (ms: number) => {
        vi.setSystemTime(Date.now() + ms)
        return (await send(fresh, await token(), viewerQuery)).status
      }
      return { id, fresh, statusAfter }
    }

    test('is not waited for while its last keys are young enough, and then is', async () => {
      const { statusAfter } = await fetched()
      expect(await statusAfter(11 * MINUTE)).toBe(200)
      expect(await statusAfter(220 * MINUTE)).toBe(200)
      expect(await statusAfter(10 * MINUTE)).toBe(503)
      published.isDown = false
      expect(await statusAfter(1_000)).toBe(503)
      expect(await statusAfter(5_000)).toBe(200)
    })

    test('is asked for new keys meanwhile, at most every five seconds, and the log tells of it once a minute', async () => {
      const { id, fresh, statusAfter } = await fetched()
      const lines = () => logged.filter((line) => line.includes('cannot be fetched')).length
      const before = lines()
      const requests = published.requests
      await statusAfter(11 * MINUTE)
      await expect.poll(() => published.requests).toBe(requests + 1)
      await expect.poll(lines).toBe(before + 1)
      for (let times = 0; times < 5; times += 1) await statusAfter(500)
      expect((await send(fresh, bearer(await signedBy({ ...rsa, kid: 'unknown' }, id)), viewerQuery)).status).toBe(503)
      expect(published.requests).toBe(requests + 1)
      await statusAfter(20_000)
      await expect.poll(() => published.requests).toBe(requests + 2)
      expect(lines()).toBe(before + 1)
      await statusAfter(MINUTE)
      await expect.poll(lines).toBe(before + 2)
    })

    test('is heard again when it is back, with keys that are new', async () => {
      const { id, fresh, statusAfter } = await fetched()
      expect(await statusAfter(11 * MINUTE)).toBe(200)
      published.isDown = false
      published.keys = [ec.jwk]
      expect(await statusAfter(MINUTE)).toBe(200)
      await expect.poll(async () => (await send(fresh, bearer(await signedBy(ec, id)), viewerQuery)).status).toBe(200)
      expect(await statusAfter(2_000)).toBe(401)
    })
  })
})

/* ---- scopes -------------------------------------------------------------------------------------- */

describe('scopes', () => {
  const scopesOf = async (scope: unknown) => {
    const { id } = await anOrganisation()
    return (await viewerOf(bearer(await signed(id, { scope })))).scopes
  }

  test('stand in the claim as one string or as an array', async () => {
    expect(await scopesOf('RECORDS_READ ASSESSMENTS_READ')).toEqual(['ASSESSMENTS_READ', 'RECORDS_READ'])
    expect(await scopesOf(['RECORDS_READ', 'ASSESSMENTS_READ'])).toEqual(['ASSESSMENTS_READ', 'RECORDS_READ'])
    expect(await scopesOf('  RECORDS_READ   RECORDS_READ ')).toEqual(['RECORDS_READ'])
  })

  test('that are unknown, or of a strange form, grant nothing', async () => {
    for (const scope of [undefined, '', 'records_read', 'openid constructor __proto__ toString', [], [1], { 0: 'RECORDS_READ' }, 7, null]) {
      expect(await scopesOf(scope), JSON.stringify(scope)).toEqual([])
    }
  })

  test('may be OneRoster’s URIs, readonly for RESULTS_READ and createput for RESULTS_WRITE', async () => {
    const uri = (name: string) => `https://purl.imsglobal.org/spec/or/v1p2/scope/${name}`
    expect(await scopesOf(uri('assessment.readonly'))).toEqual(['RESULTS_READ'])
    expect(await scopesOf([uri('assessment.createput')])).toEqual(['RESULTS_READ', 'RESULTS_WRITE'])
    expect(await scopesOf(`${uri('assessment.delete')} ${uri('roster.readonly')}`)).toEqual([])
  })

  test.each([
    ['ASSESSMENTS_WRITE', 'ASSESSMENTS_READ'],
    ['RECORDS_WRITE', 'RECORDS_READ'],
    ['RESULTS_WRITE', 'RESULTS_READ'],
  ] as const)('%s includes %s, by key, session and token, and not the other way round', async (write, read) => {
    const organisation = await anOrganisation()
    await organisation.user({ subject: 'auth0|ada' })
    for (const [granted, expected] of [[write, [read, write]], [read, [read]]] as const) {
      const credentials = [
        { apikey: await organisation.keyWith([granted]) },
        { 'x-session-token': (await aSession(organisation.id, 'auth0|ada', [granted])).token },
        bearer(await signed(organisation.id, { scope: granted })),
      ]
      for (const credential of credentials) expect((await viewerOf(credential)).scopes).toEqual(expected)
    }
  })

  test('are what a read needs: without its own it is FORBIDDEN, whatever else there is', async () => {
    const { id } = await anOrganisation()
    const body = JSON.stringify({ query: '{ assessments { totalCount } }' })
    const response = await send(gateway, bearer(await signed(id, { scope: 'RESULTS_WRITE RECORDS_WRITE' })), body)
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN', requiredScope: 'ASSESSMENTS_READ' } }] })
  })
})

/* ---- revisions name the actor -------------------------------------------------------------------- */

test('the actor is the key, the session or the token’s subject', async () => {
  const organisation = await anOrganisation()
  await organisation.user({ subject: 'auth0|ada' })
  const session = await aSession(organisation.id, 'auth0|ada')
  const { id: keyId } = await db.apiKey.findFirstOrThrow({ where: { organisationId: organisation.id } })
  const authenticate = createAuthenticate(database.statements, { ...bySecret, log })
  const actorOf = async (credential: Credential) => (await authenticate(new Headers(credential)))?.actor
  expect(await actorOf({ apikey: organisation.key })).toBe(`key:${keyId}`)
  expect(await actorOf({ 'x-session-token': session.token })).toBe(`session:${session.id}`)
  expect(await actorOf(bearer(await signed(organisation.id)))).toBe('user:auth0|ada')
})

/* ---- none, or more than one ---------------------------------------------------------------------- */

describe('a request', () => {
  test('with no credential, an empty one, or another scheme is refused', async () => {
    const organisation = await anOrganisation()
    const { key } = organisation
    expect(await refusalOf({})).toEqual([])
    expect(await refusalOf({ apikey: '' })).toEqual(keyLookUp)
    expect(await refusalOf({ 'x-api-key': '' })).toEqual(keyLookUp)
    expect(await refusalOf({ 'x-session-token': '' })).toEqual(sessionLookUp)
    const token = await signed(organisation.id)
    const basic = `Basic ${Buffer.from(`ada:${key}`).toString('base64')}`
    for (const authorization of ['', 'Bearer', 'Bearer ', basic, `Basic ${token}`, `JWT ${token}`, token, `Bearer ${token} ${token}`, `ApiKey ${key}`, key]) {
      expect(await refusalOf({ authorization }), authorization).toEqual([])
    }
    expect(await refusalOf({ cookie: `apikey=${key}` })).toEqual([])
  })

  test('with two good credentials is refused, whichever two, and with more', async () => {
    const credentials = await goodCredentials()
    for (const [name, value] of credentials) await viewerOf({ [name]: value })
    for (const [index, one] of credentials.entries()) {
      for (const two of credentials.slice(index + 1)) expect(await refusalOf([one, two]), `${one[0]} and ${two[0]}`).toEqual([])
    }
    expect(await refusalOf(credentials.slice(1))).toEqual([])
    expect(await refusalOf(credentials)).toEqual([])
  })

  test('with the same key twice, or a good credential beside an empty or a bad one, is refused', async () => {
    const credentials = await goodCredentials()
    const [[, key] = ['', '']] = credentials
    expect(await refusalOf({ apikey: key, 'x-api-key': key })).toEqual([])
    for (const [index, good] of credentials.entries()) {
      for (const [name] of credentials.filter((_, other) => other !== index)) {
        expect(await refusalOf([good, [name, '']]), `${good[0]} and an empty ${name}`).toEqual([])
        expect(await refusalOf([good, [name, 'bad']]), `${good[0]} and a bad ${name}`).toEqual([])
      }
    }
  })

  test.each([
    ['a syntax error', JSON.stringify({ query: '{ viewer {' })],
    ['a field that does not exist', JSON.stringify({ query: '{ nothing }' })],
    ['no document', JSON.stringify({})],
    ['no JSON', '{"query":'],
    ['nothing', ''],
    ['the schema as its question', JSON.stringify({ query: '{ __schema { types { name } } }' })],
  ])('with %s gets the same 401 when its credential is missing or bad', async (_, body) => {
    const { key } = await anOrganisation()
    expect(await refusalOf({}, gateway, body)).toEqual([])
    expect(await refusalOf({ apikey: `${key}x` }, gateway, body)).toEqual(keyLookUp)
    expect((await send(gateway, { apikey: key }, body)).status).not.toBe(401)
  })

  test('to write changes nothing when its credential is bad', async () => {
    const organisation = await anOrganisation()
    const { id } = await organisation.assessment()
    const query = 'mutation ($id: ID!) { updateAssessment(id: $id, input: { name: "Mine" }) { __typename } }'
    const body = JSON.stringify({ query, variables: { id } })
    expect(await refusalOf({ apikey: `${organisation.key}x` }, gateway, body)).toEqual(keyLookUp)
    expect(await db.assessment.findUniqueOrThrow({ where: { id } })).toMatchObject({ version: 1, name: 'Supplier check – Acme Coffee' })
  })

  test('by any other method, or to another spelling of the path, gets no further', async () => {
    const url = `http://gateway.test/graphql?query=${encodeURIComponent('{ viewer { scopes } }')}`
    for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      expect((await gateway.fetch(url, { method, headers: { accept: 'application/json' } })).status, method).toBe(401)
    }
    const others = ['/', '/graphql/', '//graphql', '/x/graphql', '/?x=/graphql', '/GraphQL', '/%67raphql', '/graphql/stream', '/graphql;a=b']
    for (const path of others) {
      const response = await gateway.fetch(`http://gateway.test${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: '{ nothing }' }),
      })
      expect({ status: response.status, body: await response.text() }, path).toEqual({ status: 404, body: '' })
    }
  })

  test('needs no credential for /health and /ready', async () => {
    for (const path of ['/health', '/ready']) expect((await gateway.fetch(`http://gateway.test${path}`)).status, path).toBe(200)
  })
})

test('no secret was ever logged', async () => {
  const credentials = await goodCredentials()
  for (const [name, value] of credentials) {
    await viewerOf({ [name]: value })
    await refusalOf({ [name]: `${value}x` })
  }
  await refusalOf(credentials)
  for (const [, value] of credentials) expect(logged.join('')).not.toContain(value.replace('Bearer ', ''))
})
