// The demo data: what is in prisma/demo/, imported and then worked with.
import { readFile } from 'node:fs/promises'
import { activity, createAssessments, putResults, updateRecords } from './activity.js'
import type { Prisma, PrismaClient } from '../generated/prisma/client.js'
import { importContent } from '../import/import-file.js'
import { prismaDirectory } from '../database/migrations.js'
import { ValidationError } from '../domain/failures.js'
import { commandViewer } from '../domain/viewer.js'

/** In the order in which they are shown; the first one has every feature. */
export const demoOrganisations = [
  { name: 'Northwind Assurance', file: 'northwind-assurance' },
  { name: 'Harbour College', file: 'harbour-college' },
]

/** The user that the demo keys stand for; only the demo organisations have one. */
export const DEMO_SUBJECT = 'demo'

const TIMEOUT_MS = 120_000

/** Fills a database without any organisation, whole or not at all: whether it did. */
export async function seedWhenEmpty(db: PrismaClient): Promise<boolean> {
  return db.$transaction(
    async (transaction) => {
      // Of two that find the database empty, the second waits for the first.
      await transaction.$executeRaw`LOCK TABLE "Organisation" IN SHARE ROW EXCLUSIVE MODE`
      if (await transaction.organisation.findFirst({ select: { id: true } })) return false
      for (const { name, file } of demoOrganisations) await seed(transaction, name, file)
      return true
    },
    { timeout: TIMEOUT_MS, maxWait: TIMEOUT_MS },
  )
}

async function seed(store: Prisma.TransactionClient, name: string, file: string): Promise<void> {
  const organisation = await store.organisation.create({ data: { name } })
  const seeding = { store, viewer: commandViewer(organisation, 'seed') }
  const { assessments, recordUpdates, results } = activity.parse(await readDemo(`${file}-activity`))
  await importDemo(seeding, file)
  await createAssessments(seeding, assessments)
  // From here on the bank is ahead of the assessments.
  await importDemo(seeding, `${file}-bank-update`)
  await updateRecords(seeding, recordUpdates)
  await putResults(seeding, results)
}

async function importDemo({ store, viewer }: Parameters<typeof importContent>[0], file: string): Promise<void> {
  const importing = { store, viewer: commandViewer(viewer.organisation, 'import') }
  const imported = await importContent(importing, await readDemo(file), () => {})
  if (imported instanceof ValidationError) throw new Error(`prisma/demo/${file}.json: ${imported.message}`)
}

async function readDemo(file: string): Promise<unknown> {
  if (!prismaDirectory) throw new Error('The folder prisma/ with the demo data is missing.')
  return JSON.parse(await readFile(new URL(`demo/${file}.json`, prismaDirectory), 'utf8'))
}
