// Creates organisations, keys and sessions, and revokes keys, for the admin commands and the demo data.
import type { PrismaClient } from '../generated/prisma/client.js'
import { NotFoundError, ValidationError } from '../domain/failures.js'
import { check, isUuid, name as organisationName } from '../domain/validation.js'
import type { Scope } from '../domain/scopes.js'
import { hashOf, newSecret } from './credentials.js'

export async function createOrganisation(db: PrismaClient, name: string) {
  const checked = check(organisationName, name, ['name'])
  if (checked instanceof ValidationError) return checked
  return db.organisation.create({ data: { name: checked }, select: { id: true, companyId: true, name: true } })
}

/** Creates an API key. The result is the only place where the key itself is shown; the database has only its hash. */
export async function createKey(
  db: PrismaClient,
  { organisationId, scopes, subject }: { organisationId: string; scopes: Scope[]; subject: string | undefined },
) {
  const owner = await findOwner(db, organisationId, subject)
  if (owner instanceof NotFoundError) return owner
  const key = newSecret('agk')
  const { id } = await db.apiKey.create({ data: { ...owner, scopes, hash: hashOf(key) }, select: { id: true } })
  return { id, key, scopes }
}

/** Revokes a key at once. Revoking it again does not change the time of the first revocation. */
export async function revokeKey(db: PrismaClient, id: string) {
  const key = isUuid(id) ? await db.apiKey.findUnique({ where: { id }, select: { id: true, revokedAt: true } }) : null
  if (!key) return new NotFoundError([id])
  if (key.revokedAt) return key
  return db.apiKey.update({ where: { id }, data: { revokedAt: new Date() }, select: { id: true, revokedAt: true } })
}

/** Creates a session that expires after `minutes`. The result is the only place where the token itself is shown; the database has only its hash. */
export async function createSession(
  db: PrismaClient,
  { organisationId, subject, scopes, minutes }: { organisationId: string; subject: string; scopes: Scope[]; minutes: number },
) {
  const owner = await findOwner(db, organisationId, subject)
  if (owner instanceof NotFoundError) return owner
  if (owner.userId === null) return new NotFoundError([subject])
  const token = newSecret('ags')
  const expiresAt = new Date(Date.now() + minutes * 60_000)
  const { id } = await db.session.create({
    data: { organisationId: owner.organisationId, userId: owner.userId, scopes, expiresAt, hash: hashOf(token) },
    select: { id: true },
  })
  return { id, token, scopes, expiresAt }
}

/** Finds the organisation, and the user with this subject in it; `userId` is null without a subject. */
async function findOwner(db: PrismaClient, organisationId: string, subject: string | undefined) {
  const organisation = isUuid(organisationId)
    ? await db.organisation.findUnique({ where: { id: organisationId }, select: { id: true } })
    : null
  if (!organisation) return new NotFoundError([organisationId])
  if (subject === undefined) return { organisationId: organisation.id, userId: null }
  const user = await db.user.findUnique({
    where: { organisationId_subject: { organisationId: organisation.id, subject } },
    select: { id: true },
  })
  return user ? { organisationId: organisation.id, userId: user.id } : new NotFoundError([subject])
}
