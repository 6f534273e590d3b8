// The API keys of the demo organisations. They have all scopes, and are printed when the gateway starts.
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

/** Revokes all keys of the demo users, and creates a new one for each. Returns none if the database has no demo data. */
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

/** The demo keys of the data directory if all of them still work, otherwise new ones, which are stored there. */
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

/** The stored keys; none if there is no such file, or it has another format. */
async function readKeys(dataDirectory: string): Promise<DemoKey[]> {
  try {
    return z.array(demoKey).parse(JSON.parse(await readFile(join(dataDirectory, FILE), 'utf8')))
  } catch {
    return []
  }
}

/** Stores the keys in a file that only this user can read. The file is written under another name and renamed, so that it is never incomplete. */
export async function keepDemoKeys(dataDirectory: string, keys: DemoKey[]): Promise<void> {
  const file = join(dataDirectory, FILE)
  const draft = `${file}.${randomUUID()}`
  await writeFile(draft, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  await rename(draft, file)
}

export function showDemoKeys(keys: DemoKey[]): void {
  for (const { name, key } of keys) process.stdout.write(`demo key  ${name}  ${key}\n`)
}
