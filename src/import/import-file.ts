// Imports a JSON file into an organisation, in one transaction. Each module upserts its own kinds of rows.
import { z } from 'zod'
import type { ServiceContext } from '../domain/service-context.js'
import { Prisma, type PrismaClient } from '../generated/prisma/client.js'
import { importEntities, importUsers, organisationRows } from '../organisations/import.js'
import { importFolders, importRecords, recordRows } from '../records/import.js'
import { importLineItems, importScoreScales, resultRows } from '../results/import.js'
import { NotFoundError, ValidationError } from '../domain/failures.js'
import type { Imported } from '../domain/import-rows.js'
import { check, isUuid } from '../domain/validation.js'
import { commandViewer } from '../domain/viewer.js'
import { StartError } from '../process/start-error.js'
import { importQuestions, importTemplates, templateRows } from '../templates/import.js'

const importFile = z.strictObject({ ...organisationRows, ...templateRows, ...recordRows, ...resultRows })

/** How many rows of each kind were created, updated and left unchanged. */
export type ImportSummary = Record<string, Pick<Imported, 'created' | 'updated' | 'unchanged'>>

/** Gets a line of progress for each kind of row. */
export type Report = (line: string) => void

const TIMEOUT_MS = 30 * 60_000
/** PostgreSQL's timeout must come before Prisma's: Prisma would abandon a statement, which could still commit. */
const STATEMENT_TIMEOUT_MS = 60_000

/**
 * Imports the content of a file, either all of it or nothing.
 *
 * @throws StartError when a gateway started to use a row that the import removes. Nothing is imported then.
 */
export async function importInto(
  db: PrismaClient,
  organisationId: string,
  content: unknown,
  report: Report,
): Promise<ImportSummary | NotFoundError | ValidationError> {
  const file = check(importFile, content)
  if (file instanceof ValidationError) return file
  if (!isUuid(organisationId)) return new NotFoundError([organisationId])
  try {
    return await db.$transaction(
      async (transaction) => {
        await transaction.$executeRaw`SELECT set_config('statement_timeout', ${String(STATEMENT_TIMEOUT_MS)}, true)`
        // Only one import of an organisation runs at a time. This lock is too weak to block the foreign keys of other writers.
        await transaction.$queryRaw`SELECT "id" FROM "Organisation" WHERE "id" = ${organisationId}::uuid FOR NO KEY UPDATE`
        const organisation = await transaction.organisation.findUnique({ where: { id: organisationId } })
        if (!organisation) throw new Refusal(new NotFoundError([organisationId]))
        const summary = await importRows({ store: transaction, viewer: commandViewer(organisation, 'import') }, file, report)
        if (summary instanceof ValidationError) throw new Refusal(summary)
        return summary
      },
      { timeout: TIMEOUT_MS, maxWait: STATEMENT_TIMEOUT_MS },
    )
  } catch (error) {
    if (error instanceof Refusal) {
      if (error.failure instanceof ValidationError) report('rolled back: nothing was imported')
      return error.failure
    }
    if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2003') {
      throw new StartError('A row that the file changes came into use during the import. Nothing was imported; run it again.', { cause: error })
    }
    throw error
  }
}

/** Thrown to roll the transaction back; its failure is then returned. */
class Refusal extends Error {
  constructor(readonly failure: NotFoundError | ValidationError) {
    super(failure.message)
  }
}

/**
 * Imports the content of a file within the caller's transaction. If it returns a ValidationError, the caller must roll back.
 */
export async function importContent(services: ServiceContext, content: unknown, report: Report): Promise<ImportSummary | ValidationError> {
  const file = check(importFile, content)
  return file instanceof ValidationError ? file : importRows(services, file, report)
}

async function importRows(
  services: ServiceContext,
  file: z.output<typeof importFile>,
  report: Report,
): Promise<ImportSummary | ValidationError> {
  let changedValidityIds: string[] = []
  // In this order, because later kinds refer to rows of earlier ones.
  const kinds: Record<keyof typeof file, () => Promise<Imported>> = {
    users: () => importUsers(services, file.users),
    entities: () => importEntities(services, file.entities),
    questions: () => importQuestions(services, file.questions),
    templates: async () => {
      const templates = await importTemplates(services, file.templates)
      changedValidityIds = templates.changedValidityIds
      return templates
    },
    folders: () => importFolders(services, file.folders),
    records: () => importRecords(services, file.records, changedValidityIds),
    scoreScales: () => importScoreScales(services, file.scoreScales),
    lineItems: () => importLineItems(services, file.lineItems),
  }
  const summary: ImportSummary = {}
  const found: Imported['issues'] = []
  for (const [kind, run] of Object.entries(kinds)) {
    const { created, updated, unchanged, issues } = await run()
    report(`${kind}: ${created} created, ${updated} updated, ${unchanged} unchanged`)
    summary[kind] = { created, updated, unchanged }
    found.push(...issues)
  }
  return found.length > 0 ? new ValidationError(found) : summary
}
