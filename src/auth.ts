import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from 'jose'
import { z } from 'zod'
import type { PrismaClient } from './generated/prisma/client.js'
import { hashOf } from './organisations/credentials.js'
import type { JwtSettings } from './settings.js'
import { isStorable, isUuid } from './shared/validation.js'
import type { Viewer } from './shared/viewer.js'
import { type Scope, scopes } from './shared/vocabulary.js'

/** Finds out whom a request's credential stands for; null unless it carries exactly one, and a good one. */
export type Authenticate = (headers: Headers) => Promise<Viewer | null>

const includedScope: Partial<Record<Scope, Scope>> = {
  ASSESSMENTS_WRITE: 'ASSESSMENTS_READ',
  RECORDS_WRITE: 'RECORDS_READ',
  RESULTS_WRITE: 'RESULTS_READ',
}

/** OneRoster 1.2's names for two of our scopes. */
const oneRosterScopes: Record<string, Scope> = {
  'https://purl.imsglobal.org/spec/or/v1p2/scope/assessment.readonly': 'RESULTS_READ',
  'https://purl.imsglobal.org/spec/or/v1p2/scope/assessment.createput': 'RESULTS_WRITE',
}

export function createAuthenticate(db: PrismaClient, jwt: JwtSettings | undefined): Authenticate {
  const verifyToken = jwt && tokenVerifier(jwt)
  return async (headers) => {
    const authorization = headers.get('authorization')
    const keys = [headers.get('apikey'), headers.get('x-api-key')].filter((value) => value !== null)
    const session = headers.get('x-session-token')
    const count = keys.length + (authorization === null ? 0 : 1) + (session === null ? 0 : 1)
    if (count !== 1) return null
    if (keys[0] !== undefined) return keyViewer(db, keys[0])
    if (session !== null) return sessionViewer(db, session)
    const token = /^Bearer +([^\s]+)$/i.exec(authorization ?? '')?.[1]
    const claims = token && verifyToken ? await verifyToken(token) : null
    return claims && jwt ? tokenViewer(db, jwt, claims) : null
  }
}

async function keyViewer(db: PrismaClient, secret: string): Promise<Viewer | null> {
  const key = await db.apiKey.findUnique({ where: { hash: hashOf(secret) }, include: { organisation: true, user: true } })
  if (!key || key.revokedAt) return null
  return { organisation: key.organisation, user: key.user, scopes: expand(key.scopes), actor: `key:${key.id}` }
}

async function sessionViewer(db: PrismaClient, secret: string): Promise<Viewer | null> {
  const session = await db.session.findUnique({ where: { hash: hashOf(secret) }, include: { organisation: true, user: true } })
  if (!session || session.expiresAt <= new Date()) return null
  return { organisation: session.organisation, user: session.user, scopes: expand(session.scopes), actor: `session:${session.id}` }
}

/** Seconds by which the clocks of the issuer and of this machine may differ. */
const CLOCK_TOLERANCE_SECONDS = 5

/** How long the key server is not asked again after it named no such key: rotation shows soon, and nobody can flood it. */
const UNKNOWN_KEY_COOLDOWN_MS = 1_000

function tokenVerifier({ issuer, audience, algorithms, key }: JwtSettings): (token: string) => Promise<JWTPayload | null> {
  const options = { issuer, audience, algorithms, requiredClaims: ['exp'], clockTolerance: CLOCK_TOLERANCE_SECONDS }
  const keyOf: JWTVerifyGetKey =
    'secret' in key ? () => key.secret : createRemoteJWKSet(key.jwksUrl, { cooldownDuration: UNKNOWN_KEY_COOLDOWN_MS })
  return async (token) => {
    try {
      return (await jwtVerify(token, keyOf, options)).payload
    } catch (error) {
      if (isFaultOfToken(error)) return null
      throw error
    }
  }
}

/** False when the key server failed: then nothing is known about the token, and an operator has to hear of it. */
function isFaultOfToken(error: unknown): boolean {
  const faultsOfServer = [errors.JWKSTimeout.code, errors.JWKSInvalid.code, errors.JOSEError.code]
  return error instanceof errors.JOSEError && !faultsOfServer.includes(error.code)
}

const scopesClaim = z.union([z.string().transform((value) => value.split(' ')), z.array(z.string())])

async function tokenViewer(db: PrismaClient, jwt: JwtSettings, claims: JWTPayload): Promise<Viewer | null> {
  const organisationId = claims[jwt.organisationClaim]
  const subject = claims[jwt.subjectClaim]
  if (typeof organisationId !== 'string' || !isUuid(organisationId)) return null
  if (typeof subject !== 'string' || subject === '' || !isStorable(subject)) return null
  const organisation = await db.organisation.findUnique({
    where: { id: organisationId },
    include: { users: { where: { subject } } },
  })
  if (!organisation) return null
  const granted = scopesClaim.safeParse(claims[jwt.scopesClaim])
  const { users, ...row } = organisation
  return {
    organisation: row,
    user: users[0] ?? null,
    scopes: expand((granted.data ?? []).flatMap((name) => oneRosterScopes[name] ?? scopes.find((scope) => scope === name) ?? [])),
    actor: `user:${subject}`,
  }
}

function expand(granted: Scope[]): ReadonlySet<Scope> {
  const all = new Set(granted.flatMap((scope) => [includedScope[scope] ?? scope, scope]))
  return new Set(scopes.filter((scope) => all.has(scope)))
}
