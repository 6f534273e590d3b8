import DataLoader from 'dataloader'
import type { JWTPayload } from 'jose'
import { z } from 'zod'
import { currentScope, runOutsideOfRequests } from '../request-scope/request-scope.js'
import { NoConnectionError } from '../database/pool.js'
import { hashOf } from '../organisations/credentials.js'
import type { PreparedStatements } from '../database/prepared-statements.js'
import { asError } from '../domain/as-error.js'
import { isStorable, isUuid } from '../domain/validation.js'
import type { Viewer } from '../domain/viewer.js'
import { type Scope, scopes } from '../domain/scopes.js'
import type { RequestHeaders } from '../observability/request-observer.js'
import { type JwtSettings, type TokenOptions, tokenVerifier } from './tokens.js'

/** A copy of the headers that can hold a credential. A subscription keeps them for long, and must not keep the whole request. */
export function credentialsOf(headers: RequestHeaders): RequestHeaders {
  const credentials: Record<string, string | null> = {}
  for (const name of credentialHeaders) credentials[name] = headers.get(name)
  return { get: (name) => credentials[name] ?? null }
}

const credentialHeaders = ['authorization', 'apikey', 'x-api-key', 'x-session-token']

/** Finds the viewer that a request's credential stands for. Null unless the request has exactly one credential, and a valid one. */
export type Authenticate = (headers: RequestHeaders) => Promise<Viewer | null>

/**
 * Does the same for many subscriptions, which ask again and again: a credential that several ask for in the same turn of the event loop is
 * looked up once for them, and at the same time as the others.
 */
export function authenticateTogether(authenticate: Authenticate): Authenticate {
  const loader: DataLoader<RequestHeaders, Viewer | null, string> = new DataLoader(
    (credentials) => {
      // Who asks after the look-up has begun needs a newer answer.
      loader.clearAll()
      return Promise.all(credentials.map((it) => authenticate(it).catch(asError)))
    },
    {
      cacheKeyFn: (headers) => JSON.stringify(credentialHeaders.map((name) => headers.get(name))),
      batchScheduleFn: (load) => void setImmediate(() => runOutsideOfRequests(load)),
    },
  )
  return (headers) => loader.load(headers)
}

/** The scope that each _WRITE scope includes. */
const includedScope: Partial<Record<Scope, Scope>> = {
  ASSESSMENTS_WRITE: 'ASSESSMENTS_READ',
  RECORDS_WRITE: 'RECORDS_READ',
  RESULTS_WRITE: 'RESULTS_READ',
}

/** The names that OneRoster 1.2 has for two of our scopes. */
const oneRosterScopes: Record<string, Scope> = {
  'https://purl.imsglobal.org/spec/or/v1p2/scope/assessment.readonly': 'RESULTS_READ',
  'https://purl.imsglobal.org/spec/or/v1p2/scope/assessment.createput': 'RESULTS_WRITE',
}

/** @param jwt Undefined: bearer tokens are not taken. */
export function createAuthenticate(statements: PreparedStatements, jwt: TokenOptions | undefined): Authenticate {
  const verifyToken = jwt && tokenVerifier(jwt)
  const viewerOfKey = credentialLoader(statements, 'key', credentialQuery('ApiKey', 'c."revokedAt" IS NULL'), () => [])
  const viewerOfSession = credentialLoader(statements, 'session', credentialQuery('Session', 'c."expiresAt" > $2'), () => [new Date()])
  const personOfSubject = subjectLoader(statements)
  return async (headers) => {
    const authorization = headers.get('authorization')
    const keys = [headers.get('apikey'), headers.get('x-api-key')].filter((value) => value !== null)
    const session = headers.get('x-session-token')
    const count = keys.length + (authorization === null ? 0 : 1) + (session === null ? 0 : 1)
    if (count !== 1) return null
    if (keys[0] !== undefined) return viewerOfKey(keys[0])
    if (session !== null) return viewerOfSession(session)
    const token = /^Bearer +([^\s]+)$/i.exec(authorization ?? '')?.[1]
    const claims = token && verifyToken ? await verifyToken(token) : null
    return claims && jwt ? tokenViewer(personOfSubject, jwt, claims) : null
  }
}

/** An organisation and one of its users, joined in one row. Without a user, the columns of the user are null. */
interface ViewerRow {
  id: string
  companyId: number
  name: string
  createdAt: Date
  userId: string | null
  sourcedId: string | null
  subject: string | null
  userName: string | null
  userCreatedAt: Date | null
}

const VIEWER_COLUMNS = `
  o."id", o."companyId", o."name", o."createdAt",
  u."id" AS "userId", u."sourcedId", u."subject", u."name" AS "userName", u."createdAt" AS "userCreatedAt"`

interface CredentialRow extends ViewerRow {
  hash: string
  credentialId: string
  scopes: Scope[]
}

/** Finds credentials by the hashes of their secrets. Nothing is cached between requests, so that a revoked credential is refused at once. */
const credentialQuery = (table: 'ApiKey' | 'Session', isValid: string) => `
  SELECT encode(c."hash", 'base64') AS "hash", c."id" AS "credentialId", c."scopes"::text[] AS "scopes", ${VIEWER_COLUMNS}
  FROM "${table}" AS c
  JOIN "Organisation" AS o ON o."id" = c."organisationId"
  LEFT JOIN "User" AS u ON u."organisationId" = c."organisationId" AND u."id" = c."userId"
  WHERE c."hash" = ANY($1::bytea[]) AND ${isValid}`

/** The subject of a token, and the organisation that the token names. */
interface TokenSubject {
  organisationId: string
  subject: string
}

const SUBJECT_QUERY = `
  SELECT asked."position"::int AS "position", ${VIEWER_COLUMNS}
  FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS asked("organisationId", "subject", "position")
  JOIN "Organisation" AS o ON o."id" = asked."organisationId"
  LEFT JOIN "User" AS u ON u."organisationId" = o."id" AND u."subject" = asked."subject"`

/** Makes a look-up. All that is looked up in the same turn of the event loop, by whatever requests, shares one statement. */
function sharedLookUp<Key, Row>(read: (keys: readonly Key[]) => Promise<(Row | undefined)[]>): (key: Key) => Promise<Row | undefined> {
  const loader = new DataLoader<Key, Row | undefined>(read, {
    cache: false,
    maxBatchSize: 100,
    // Outside of every request's scope, so that the statement is not cancelled when one of the requests is.
    batchScheduleFn: (load) => void setImmediate(() => runOutsideOfRequests(load)),
  })
  return async (key) => {
    try {
      return await loader.load(key)
    } catch (error) {
      if (error instanceof NoConnectionError) currentScope()?.interrupt('OVERLOADED')
      throw error
    }
  }
}

function credentialLoader(statements: PreparedStatements, kind: 'key' | 'session', query: string, values: () => unknown[]) {
  const credentialOf = sharedLookUp<string, CredentialRow>(async (hashes) => {
    const rows = await statements.rows<CredentialRow>(query, [[...new Set(hashes)].map((hash) => Buffer.from(hash, 'base64')), ...values()])
    const found = new Map(rows.map((row) => [row.hash, row]))
    return hashes.map((hash) => found.get(hash))
  })
  return async (secret: string): Promise<Viewer | null> => {
    const row = await credentialOf(Buffer.from(hashOf(secret)).toString('base64'))
    return row ? { ...personOf(row), scopes: expand(row.scopes), actor: `${kind}:${row.credentialId}` } : null
  }
}

function subjectLoader(statements: PreparedStatements) {
  return sharedLookUp<TokenSubject, ViewerRow>(async (asked) => {
    const columns = [asked.map(({ organisationId }) => organisationId), asked.map(({ subject }) => subject)]
    const rows = await statements.rows<ViewerRow & { position: number }>(SUBJECT_QUERY, columns)
    const found = new Map(rows.map((row) => [row.position, row]))
    return asked.map((_, index) => found.get(index + 1))
  })
}

function personOf({ id, companyId, name, createdAt, userId, sourcedId, subject, userName, userCreatedAt }: ViewerRow): Pick<Viewer, 'organisation' | 'user'> {
  return {
    organisation: { id, companyId, name, createdAt },
    user:
      userId === null || userName === null || userCreatedAt === null
        ? null
        : { id: userId, organisationId: id, sourcedId, subject, name: userName, createdAt: userCreatedAt },
  }
}

const scopesClaim = z.union([z.string().transform((value) => value.split(' ')), z.array(z.string())])

async function tokenViewer(personOfSubject: ReturnType<typeof subjectLoader>, jwt: JwtSettings, claims: JWTPayload): Promise<Viewer | null> {
  const organisationId = claims[jwt.organisationClaim]
  const subject = claims[jwt.subjectClaim]
  if (typeof organisationId !== 'string' || !isUuid(organisationId)) return null
  if (typeof subject !== 'string' || subject === '' || !isStorable(subject)) return null
  const row = await personOfSubject({ organisationId, subject })
  if (!row) return null
  const granted = scopesClaim.safeParse(claims[jwt.scopesClaim])
  return {
    ...personOf(row),
    scopes: expand((granted.data ?? []).flatMap((name) => oneRosterScopes[name] ?? scopes.find((scope) => scope === name) ?? [])),
    actor: `user:${subject}`,
  }
}

function expand(granted: Scope[]): ReadonlySet<Scope> {
  const all = new Set(granted.flatMap((scope) => [includedScope[scope] ?? scope, scope]))
  return new Set(scopes.filter((scope) => all.has(scope)))
}
