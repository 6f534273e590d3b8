// Fills an empty database with demo data: imports prisma/demo/ and simulates some use of it.
import { readFile } from 'node:fs/promises'
import { activity, createAssessments, putResults, updateRecords } from './activity.js'
import type { Prisma, PrismaClient } from '../generated/prisma/client.js'
import { importContent } from '../import/import-file.js'
import { prismaDirectory } from '../database/migrations.js'
import { ValidationError } from '../domain/failures.js'
import { commandViewer } from '../domain/viewer.js'

/** In the order in which their keys are shown. The first one has data for every feature. */
export const demoOrganisations = [
  { name: 'Northwind Assurance', file: 'northwind-assurance' },
  { name: 'Harbour College', file: 'harbour-college' },
]

/** The subject of the users that own the demo keys. Only demo organisations have such a user. */
export const DEMO_SUBJECT = 'demo'

const TIMEOUT_MS = 120_000

/** Adds the demo data if the database has no organisation, in one transaction. Returns whether it did. */
export async function seedWhenEmpty(db: PrismaClient): Promise<boolean> {
  return db.$transaction(
    async (transaction) => {
      // If two processes find the database empty, the second one waits here for the first.
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
  // Updates the bank after the assessments were created, so that refreshAssessments has something to renew.
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
