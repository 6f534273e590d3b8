// The keys of the demo organisations: they carry all scopes, and are shown to whoever starts the gateway.
import { randomUUID } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { DEMO_SUBJECT, demoOrganisations } from './data.js'
import type { PrismaClient } from '../generated/prisma/client.js'
import { hashOf } from '../organisations/credentials.js'
import { createKey } from '../organisations/service.js'
import { isFailure } from '../domain/failures.js'
import { scopes } from '../domain/scopes.js'

const demoKey = z.object({ name: z.string(), organisationId: z.string(), keyId: z.string(), key: z.string() })
export type DemoKey = z.output<typeof demoKey>

/** Revokes every key of the demo users and makes a new one for each; none where the demo data is not. */
export async function renewDemoKeys(db: PrismaClient): Promise<DemoKey[]> {
  const users = await findDemoUsers(db)
  await db.apiKey.updateMany({
    where: { userId: { in: users.map(({ id }) => id) }, revokedAt: null },
    data: { revokedAt: new Date() },
  })
  return Promise.all(
    users.map(async ({ organisation: { id: organisationId, name } }) => {
      const made = await createKey(db, { organisationId, scopes: [...scopes], subject: DEMO_SUBJECT })
      if (isFailure(made)) throw new Error(made.message)
      return { name, organisationId, keyId: made.id, key: made.key }
    }),
  )
}

/** The keys that are kept in the data directory while all of them work, otherwise new ones. */
export async function keptDemoKeys(db: PrismaClient, dataDirectory: string): Promise<DemoKey[]> {
  const kept = await readKeys(dataDirectory)
  const organisationIds = (await findDemoUsers(db)).map(({ organisation }) => organisation.id)
  const working = await db.apiKey.findMany({
    where: { hash: { in: kept.map(({ key }) => hashOf(key)) }, revokedAt: null },
    select: { id: true, organisationId: true },
  })
  const stillWork =
    kept.length === organisationIds.length &&
    kept.every(({ keyId, organisationId }, index) => {
      const isCurrent = organisationIds[index] === organisationId
      return isCurrent && working.some((key) => key.id === keyId && key.organisationId === organisationId)
    })
  if (stillWork) return kept
  const keys = await renewDemoKeys(db)
  await keepDemoKeys(dataDirectory, keys)
  return keys
}

/** The demo organisations' users in the order of `demoOrganisations`. */
async function findDemoUsers(db: PrismaClient) {
  const names = demoOrganisations.map(({ name }) => name)
  const users = await db.user.findMany({
    where: { subject: DEMO_SUBJECT, organisation: { name: { in: names } } },
    select: { id: true, organisation: { select: { id: true, name: true } } },
    orderBy: { id: 'asc' },
  })
  return users.sort((a, b) => names.indexOf(a.organisation.name) - names.indexOf(b.organisation.name))
}

/* ---- DATA_DIR/demo-keys.json ------------------------------------------------------------------- */

const FILE = 'demo-keys.json'

/** None when there is no such file, or not one of ours. */
async function readKeys(dataDirectory: string): Promise<DemoKey[]> {
  try {
    return z.array(demoKey).parse(JSON.parse(await readFile(join(dataDirectory, FILE), 'utf8')))
  } catch {
    return []
  }
}

/** Keeps the keys where only this user can read them; the file is replaced whole. */
export async function keepDemoKeys(dataDirectory: string, keys: DemoKey[]): Promise<void> {
  const file = join(dataDirectory, FILE)
  const draft = `${file}.${randomUUID()}`
  await writeFile(draft, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  await rename(draft, file)
}

export function showDemoKeys(keys: DemoKey[]): void {
  for (const { name, key } of keys) process.stdout.write(`demo key  ${name}  ${key}\n`)
}
