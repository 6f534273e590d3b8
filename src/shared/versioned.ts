import DataLoader from 'dataloader'
import type { Services } from '../context.js'
import type { Prisma, PrismaClient, Revision } from '../generated/prisma/client.js'
import { currentOperation } from '../operation.js'
import { isDeadlock } from './database-errors.js'
import { ConflictError, NotFoundError, ValidationError, type VersionedRow } from './failures.js'
import { isUuid } from './validation.js'
import type { Viewer } from './viewer.js'

/*
 * The gate: the one place through which a versioned row changes. It checks the version, adds 1 and
 * names the actor in the statement that changes the row; triggers of the database write the
 * revision within that same statement, and refuse whoever goes around the gate.
 */

/** Who writes a version of a row, and in which request. */
interface Stamp {
  changedBy: string
  /** Null when a command of the gateway writes. */
  changedByRequest: string | null
}

/** What every write of a versioned row sets: its revision repeats it. */
export function stampOf({ actor }: Viewer): Stamp {
  return { changedBy: actor, changedByRequest: currentOperation()?.requestId ?? null }
}

/** What the gate needs of a Prisma model, e.g. `db.assessment`. */
interface VersionedModel<Row, Data, Key> {
  findFirst(args: { where: Key & { organisationId: string } }): PromiseLike<Row | null>
  updateManyAndReturn(args: {
    where: { id: string; organisationId: string; version: number }
    data: Data & Stamp & { version: { increment: number } }
  }): PromiseLike<Row[]>
}

/** Which column of Revision points at the row. */
const revisionColumn = {
  Assessment: 'assessmentId',
  AssessmentRecord: 'assessmentRecordId',
  AssessmentResult: 'assessmentResultId',
} as const
export type VersionedKind = keyof typeof revisionColumn

/** Which kind of row it is, by a column that only that kind has and every query of it selects. */
export function kindOf(row: VersionedRow): VersionedKind {
  if ('workflowState' in row) return 'Assessment'
  return 'assessmentDefinitionId' in row ? 'AssessmentRecord' : 'AssessmentResult'
}

/** Some revisions of one row: versions `oldest` to `newest`, both included. */
export interface RevisionRange {
  kind: VersionedKind
  id: string
  oldest: number
  newest: number
}

/** PostgreSQL limits how many values a statement takes. */
const MOST_RANGES = 1_000

/** Loads ranges of revisions, each newest first: one statement for all that are asked for at once. */
export function revisionLoader(db: Pick<PrismaClient, 'revision'>, organisationId: string) {
  return new DataLoader<RevisionRange, Revision[], string>(
    async (ranges) => {
      const revisions = await db.revision.findMany({
        where: {
          organisationId,
          OR: ranges.map(({ kind, id, oldest, newest }) => ({
            [revisionColumn[kind]]: id,
            version: { gte: oldest, lte: newest },
          })),
        },
        orderBy: { version: 'desc' },
      })
      return ranges.map(({ kind, id, oldest, newest }) =>
        revisions.filter((it) => it[revisionColumn[kind]] === id && it.version >= oldest && it.version <= newest),
      )
    },
    { maxBatchSize: MOST_RANGES, cacheKeyFn: ({ id, oldest, newest }) => `${id} ${oldest} ${newest}` },
  )
}

export type RevisionLoader = ReturnType<typeof revisionLoader>

/** The first revisions of a row after a version, in order. */
export function revisionsAfter(
  { db, viewer }: Services,
  kind: VersionedKind,
  id: string,
  version: number,
  take: number,
): Promise<Revision[]> {
  return db.revision.findMany({
    where: { organisationId: viewer.organisation.id, [revisionColumn[kind]]: id, version: { gt: version } },
    orderBy: { version: 'asc' },
    take,
  })
}

/** What a change sets, as opposed to a failure. */
export class Write<Data> {
  constructor(readonly data: Data) {}
}

/** How one row is to change. */
export interface VersionedChange<Row, Data, Key> {
  /** Prisma's, or one of `Writes` outside of any transaction. */
  model: VersionedModel<Row, Data, Key>
  /** Which row, as the client named it. */
  key: Key
  /** Null or undefined: last write wins. */
  expectedVersion: number | null | undefined
  /**
   * What to set, where that depends on nothing stored. Otherwise sees the stored row and answers the
   * columns to set, or a failure. What it sets is written only if the row still has the version it
   * saw; otherwise it is asked again, so that a rule on stored state holds also without an
   * expectedVersion.
   */
  change: Write<Data> | ((row: Row) => Decision<Data> | Promise<Decision<Data>>)
}

type Decision<Data> = Write<Data> | ValidationError

/** Changes one row of the viewer's organisation, or answers why not: the row as it was written. */
export async function changeVersioned<Row extends VersionedRow, Data extends object, Key extends { id: string } | { sourcedId: string }>(
  { viewer, changes }: Services,
  { model, key, expectedVersion, change }: VersionedChange<Row, Data, Key>,
): Promise<Row | ValidationError | NotFoundError | ConflictError<Row>> {
  const named = 'id' in key ? key.id : key.sourcedId
  if ('id' in key && !isUuid(key.id)) return new NotFoundError([named])
  const { id: organisationId } = viewer.organisation
  const write = async (id: string, version: number, { data }: Write<Data>): Promise<Row | undefined> => {
    const update = { where: { id, organisationId, version }, data: { ...data, version: { increment: 1 }, ...stampOf(viewer) } }
    const [changed] = await unlessDeadlocked(model.updateManyAndReturn(update))
    if (changed) changes?.announce([changed.id])
    return changed
  }
  if (change instanceof Write && expectedVersion != null && 'id' in key) {
    const changed = await write(key.id, expectedVersion, change)
    if (changed) return changed
  }
  for (;;) {
    const row = await model.findFirst({ where: { ...key, organisationId } })
    if (!row) return new NotFoundError([named])
    if (expectedVersion != null && row.version !== expectedVersion) {
      return conflict(row, expectedVersion)
    }
    const decision = change instanceof Write ? change : await change(row)
    if (decision instanceof ValidationError) return decision
    const changed = await write(row.id, row.version, decision)
    if (changed) return changed
  }
}

/** No row when PostgreSQL undid the statement to end a deadlock: it is as if another writer had been first. */
async function unlessDeadlocked<Row>(changed: PromiseLike<Row[]>): Promise<Row[]> {
  try {
    return await changed
  } catch (error) {
    if (isDeadlock(error)) return []
    throw error
  }
}

/** The failure that tells a client all it needs to merge and retry. */
export function conflict<Row extends VersionedRow>(current: Row, expectedVersion: number): ConflictError<Row> {
  const operation = currentOperation()
  if (operation) operation.conflicts += 1
  return new ConflictError(expectedVersion, current)
}

/** What was changed since the version that was expected; later revisions describe rows later than `current`. */
export async function changedPaths({ current, expectedVersion }: ConflictError, revisions: RevisionLoader): Promise<string[]> {
  const { id, version } = current
  if (expectedVersion >= version) return []
  const newestFirst = await revisions.load({ kind: kindOf(current), id, oldest: expectedVersion + 1, newest: version })
  return [...new Set(newestFirst.toReversed().flatMap((revision) => revision.changedPaths))]
}

/**
 * The gate for many assessments at once: replaces the sections of rows that the transaction has
 * locked, in one statement.
 *
 * @throws Error when a row is not at the version that was read, which the lock rules out.
 */
export async function replaceLockedSections(
  transaction: Prisma.TransactionClient,
  viewer: Viewer,
  rows: { id: string; version: number; sections: object[] }[],
): Promise<void> {
  if (rows.length === 0) return
  const { changedBy, changedByRequest } = stampOf(viewer)
  const changed = await transaction.$executeRaw`
    UPDATE "Assessment" AS a
    SET "sections" = r."sections", "version" = a."version" + 1, "changedBy" = ${changedBy}, "changedByRequest" = ${changedByRequest}
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS r("id" uuid, "version" int, "sections" jsonb)
    WHERE a."id" = r."id" AND a."version" = r."version" AND a."organisationId" = ${viewer.organisation.id}::uuid`
  if (changed !== rows.length) throw new Error(`${rows.length - changed} locked assessments had another version.`)
}
