// Updates assessments from the question bank, for refreshAssessments. All are updated in one transaction, but read and written in batches,
// so that the memory and the size of statements stay bounded.
import { setTimeout } from 'node:timers/promises'
import { v7 as newId } from 'uuid'
import type { z } from 'zod'
import type { ServiceContext } from '../domain/service-context.js'
import type { Assessment, Prisma, PrismaClient, Question } from '../generated/prisma/client.js'
import { FairQueue } from '../request-scope/fair-queue.js'
import { currentScope } from '../request-scope/request-scope.js'
import { inTurns } from '../request-scope/turns.js'
import type { Written } from '../request-scope/writes.js'
import { type ConflictError, ForbiddenError, isFailure, ValidationError, type ValidationIssue } from '../domain/failures.js'
import { check, isUuid } from '../domain/validation.js'
import { conflict, replaceLockedSections } from '../versioning/gate.js'
import { notingTransaction } from '../versioning/noted-writes.js'
import { requireScope, type Viewer } from '../domain/viewer.js'
import { questionOptions } from '../templates/rules.js'
import { type BankEntry, idKey, isDeleted, isOid, type Refresh, refreshInput, refreshSections } from './refresh-rules.js'
import { type BankQuestion, poolKey, sections } from './rules.js'

/** `store` is the client and not a transaction, because a refresh starts a transaction of its own. */
interface RefreshServices extends ServiceContext {
  store: PrismaClient
  /** How long a refresh may take, in milliseconds. */
  refreshTimeoutMs: number
}

/** What a refresh did to one assessment. */
export interface RefreshDetail extends Omit<Refresh, 'sections'> {
  assessmentId: string
  oid: number
  /** The version that it has now. */
  version: number
  status: 'UPDATED' | 'UNCHANGED' | 'SKIPPED' | 'CONFLICT'
  conflict: ConflictError<Assessment> | null
}

type Refreshed = RefreshDetail[] | ForbiddenError | ValidationError

type Transaction = Prisma.TransactionClient

/** How many assessments are locked, read and written at a time. */
const BATCH_SIZE = 60
/** How much later the request's deadline is than that of the refresh, so that the refresh can roll back and report its own error. */
const GRACE_MS = 10_000
/** How often a refresh looks whether that of another process is done. */
const RETRY_MS = 250
const INT_MAX = 2_147_483_647

/**
 * Refreshes the assessments that the arguments name, or all of the organisation. Returns what was done to each, ascending by oid.
 *
 * @throws Error when the refresh takes longer than `refreshTimeoutMs`. Nothing is changed then.
 */
export async function refreshAssessments(
  { store, viewer, refreshTimeoutMs, changes }: RefreshServices,
  args: z.input<typeof refreshInput>,
): Promise<Refreshed> {
  const refused = requireScope(viewer, 'ASSESSMENTS_WRITE')
  if (refused) return refused
  const checked = check(refreshInput, args)
  if (checked instanceof ValidationError) return checked
  const deadline = Date.now() + refreshTimeoutMs
  currentScope()?.prolongDeadline(refreshTimeoutMs + GRACE_MS)
  currentScope()?.readInPortions()
  const refresh = () => notingTransaction(
    store,
    async (transaction) => {
      if (!(await isAlone(transaction, viewer))) return null
      const selection = await select(transaction, viewer, checked)
      if (selection instanceof ForbiddenError || selection instanceof ValidationError) return selection
      const bank = new QuestionBank(transaction, viewer)
      const details: RefreshDetail[] = []
      // Of named assessments each batch gets its own ids: with all of them in each, what is sent would grow with the square of their number.
      for (let after: string | null = null, start = 0; ; start += BATCH_SIZE) {
        // PostgreSQL's timeout must come before Prisma's (`timeout` below): Prisma would abandon a statement, which could still commit.
        await transaction.$executeRaw`SELECT set_config('statement_timeout', ${String(Math.max(1, deadline - Date.now()))}, true)`
        const named = selection.ids?.slice(start, start + BATCH_SIZE) ?? null
        const batch: LockedAssessment[] = await lockBatch(transaction, viewer, named, after)
        details.push(...(await refreshBatch(transaction, viewer, bank, batch, selection.expectedVersions)))
        if (selection.ids ? start + BATCH_SIZE >= selection.ids.length : batch.length < BATCH_SIZE) break
        after = batch.at(-1)?.id ?? null
      }
      return details.sort((a, b) => a.oid - b.oid)
    },
    { writtenBy, timeout: refreshTimeoutMs + 5_000, maxWait: refreshTimeoutMs },
  )
  const { id: organisationId } = viewer.organisation
  await refreshes.enter(organisationId, refreshTimeoutMs)
  let refreshed: Refreshed | null
  try {
    // Another process may be refreshing. Between the tries this one holds no connection.
    while ((refreshed = await refresh()) === null) await setTimeout(RETRY_MS)
  } finally {
    refreshes.leave(organisationId)
  }
  changes?.announce(writtenBy(refreshed).map(({ id }) => id))
  return refreshed
}

/** In this process, organisations refresh one at a time: a refresh that waited for the locks of another would keep a connection. */
const refreshes = new FairQueue(Infinity, 1)

/** Whether no other process is refreshing the same organisation. Until the transaction ends, others are told that this one is. */
async function isAlone(transaction: Transaction, { organisation }: Viewer): Promise<boolean> {
  const [row] = await transaction.$queryRaw<{ alone: boolean }[]>`
    SELECT pg_try_advisory_xact_lock(hashtextextended(${`refresh ${organisation.id}`}, 0)) AS "alone"`
  return row?.alone === true
}

/** Null: nothing was done, because another process is refreshing. */
function writtenBy(refreshed: Refreshed | null): Written[] {
  if (refreshed === null || isFailure(refreshed)) return []
  return refreshed.flatMap(({ assessmentId, version, status }) => (status === 'UPDATED' ? { id: assessmentId, version } : []))
}

interface Selection {
  /** In PostgreSQL's order of UUIDs, which is that of their texts. Null: every assessment of the organisation. */
  ids: string[] | null
  expectedVersions: Map<string, number>
}

/** Finds the assessments that the arguments name. If one of them is not in the organisation, the whole call is refused. */
async function select(
  transaction: Transaction,
  { organisation }: Viewer,
  { assessmentIds, expectedVersions }: z.output<typeof refreshInput>,
): Promise<Selection | ForbiddenError | ValidationError> {
  const named = [...new Set(assessmentIds)]
  const expected = expectedVersions ?? []
  const all = [...named, ...expected.map(({ id }) => id)]
  const uuids = all.filter(isUuid)
  const oids = all.filter((id) => isOid(id) && Number(id) <= INT_MAX).map(Number)
  const rows =
    uuids.length + oids.length === 0
      ? []
      : await transaction.$queryRaw<{ id: string; oid: number }[]>`
          SELECT "id", "oid" FROM "Assessment"
          WHERE "organisationId" = ${organisation.id}::uuid AND ("id" = ANY(${uuids}::uuid[]) OR "oid" = ANY(${oids}::int[]))`
  const idOf = new Map(rows.flatMap(({ id, oid }) => [[id, id] as const, [String(oid), id] as const]))
  const resolve = (id: string) => idOf.get(idKey(id))

  const missing = named.filter((id) => resolve(id) === undefined)
  if (missing.length > 0) {
    return new ForbiddenError(`Not assessments of this organisation: ${missing.join(', ')}.`, missing, null)
  }
  const selected = named.length === 0 ? null : new Set(named.flatMap((id) => resolve(id) ?? []))
  const versions = new Map<string, number>()
  const issues = expected.flatMap(({ id, expectedVersion }, index): ValidationIssue[] => {
    const path = ['expectedVersions', String(index), 'id']
    const assessmentId = resolve(id)
    if (assessmentId === undefined || (selected && !selected.has(assessmentId))) {
      return [{ path, code: 'UNKNOWN', message: 'This assessment is not selected.' }]
    }
    if (versions.has(assessmentId)) return [{ path, code: 'DUPLICATE', message: 'This assessment is named twice.' }]
    versions.set(assessmentId, expectedVersion)
    return []
  })
  return issues.length > 0 ? new ValidationError(issues) : { ids: selected && [...selected].sort(), expectedVersions: versions }
}

type LockedAssessment = Pick<Assessment, 'id' | 'oid' | 'version' | 'status' | 'sections'>

/** Locks and reads the assessments with the next ids after `after`. All refreshes lock in this order, so that they cannot deadlock. */
function lockBatch(transaction: Transaction, { organisation }: Viewer, ids: string[] | null, after: string | null) {
  return transaction.$queryRaw<LockedAssessment[]>`
    SELECT "id", "oid", "version", "status", "sections" FROM "Assessment"
    WHERE "organisationId" = ${organisation.id}::uuid
      AND (${ids}::uuid[] IS NULL OR "id" = ANY(${ids}::uuid[]))
      AND (${after}::uuid IS NULL OR "id" > ${after}::uuid)
    ORDER BY "id" LIMIT ${BATCH_SIZE} FOR UPDATE`
}

async function refreshBatch(
  transaction: Transaction,
  viewer: Viewer,
  bank: QuestionBank,
  batch: LockedAssessment[],
  expectedVersions: Map<string, number>,
): Promise<RefreshDetail[]> {
  const parsed = await inTurns(batch, (row) => ({ ...row, sections: sections.parse(row.sections) }))
  const isStale = ({ id, version }: LockedAssessment) => (expectedVersions.get(id) ?? version) !== version
  const stale = batch.filter(isStale)
  const current = stale.length === 0 ? [] : await transaction.assessment.findMany({ where: { id: { in: stale.map(({ id }) => id) } } })
  const errors = new Map(current.map((row) => [row.id, conflict(row, expectedVersions.get(row.id) ?? 0)]))
  const open = parsed.filter((row) => row.status !== 'COMPLETE' && !errors.has(row.id))
  await bank.load(open.flatMap((row) => row.sections))
  const refreshes = new Map(await inTurns(open, (row) => [row.id, refreshSections(row.sections, bank, newId)] as const))
  const isChanged = ({ refreshedQids, replacements }: Refresh) => refreshedQids.length + replacements.length > 0
  await replaceLockedSections(
    { store: transaction, viewer },
    open.flatMap(({ id, version }) => {
      const refresh = refreshes.get(id)
      return refresh && isChanged(refresh) ? [{ id, version, sections: refresh.sections }] : []
    }),
  )
  return parsed.map((row): RefreshDetail => {
    const totalQuestions = row.sections.reduce((sum, { questions }) => sum + questions.length, 0)
    const untouched = { totalQuestions, refreshedQids: [], replacements: [], replacementFailures: [] }
    const { sections: _, ...refresh } = refreshes.get(row.id) ?? { ...untouched, sections: [] }
    const conflict = errors.get(row.id) ?? null
    const done = isChanged({ ...refresh, sections: [] }) ? 'UPDATED' : 'UNCHANGED'
    const status = conflict ? 'CONFLICT' : row.status === 'COMPLETE' ? 'SKIPPED' : done
    const version = status === 'UPDATED' ? row.version + 1 : row.version
    return { assessmentId: row.id, oid: row.oid, version, status, conflict, ...refresh }
  })
}

/** The part of the question bank that a refresh needs. Each question and pool is read once, when a batch first needs it. */
class QuestionBank {
  readonly entries = new Map<number, BankEntry>()
  readonly pools = new Map<string, BankQuestion[]>()

  constructor(
    readonly transaction: Transaction,
    readonly viewer: Viewer,
  ) {}

  /** Reads the questions and pools that these sections need and that are not known yet, with at most two statements. */
  async load(wanted: z.output<typeof sections>): Promise<void> {
    const organisationId = this.viewer.organisation.id
    const questions = wanted.flatMap((section) => section.questions)
    const qids = [...new Set(questions.map(({ qid }) => qid))].filter((qid) => !this.entries.has(qid))
    if (qids.length > 0) {
      const rows = await this.transaction.$queryRaw<Question[]>`
        SELECT * FROM "Question" WHERE "organisationId" = ${organisationId}::uuid AND "qid" = ANY(${qids}::int[])`
      for (const row of rows) this.entries.set(row.qid, bankEntry(row))
    }
    const pools = new Map(
      questions
        .filter((question) => isDeleted(question, this.entries) && !this.pools.has(poolKey(question)))
        .map(({ topic, difficulty }) => [poolKey({ topic, difficulty }), { topic, difficulty }]),
    )
    if (pools.size === 0) return
    const [topics, difficulties] = [[...pools.values()].map(({ topic }) => topic), [...pools.values()].map(({ difficulty }) => difficulty)]
    // Two arrays, whatever their length: a condition for each pool would be two parameters for each, and a statement can have 65,535.
    const live = await this.transaction.$queryRaw<Question[]>`
      SELECT q.* FROM unnest(${topics}::text[], ${difficulties}::text[]) AS pool("topic", "difficulty")
      JOIN "Question" AS q ON q."organisationId" = ${organisationId}::uuid
        AND q."topic" = pool."topic" AND q."difficulty" = pool."difficulty"::"QuestionDifficulty"
      WHERE NOT q."deleted" ORDER BY q."qid"`
    for (const key of pools.keys()) this.pools.set(key, [])
    for (const row of live) this.pools.get(poolKey(row))?.push(bankEntry(row))
  }
}

function bankEntry(row: Question): BankEntry {
  return { ...row, options: questionOptions.parse(row.options) }
}
