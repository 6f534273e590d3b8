import { isDeadlock } from '../database/errors.js'
import { ConflictError, NotFoundError, ValidationError, type VersionedRow } from '../domain/failures.js'
import type { ServiceContext } from '../domain/service-context.js'
import { isUuid } from '../domain/validation.js'
import type { Viewer } from '../domain/viewer.js'
import { currentScope } from '../request-scope/request-scope.js'
import type { Written } from '../request-scope/writes.js'
import { notingRows } from './noted-writes.js'

/*
 * Optimistic locking. All writes of versioned rows go through this file, the version gate. Its statements check the version, add 1 to it
 * and set who has made the change. Triggers of the database write the revision in the same statement, and refuse any write that does not do so.
 */

/** The columns that say who has written a version of a row, and in which request. The trigger copies them into the revision. */
interface Stamp {
  changedBy: string
  /** Null when a command of the gateway writes. */
  changedByRequest: string | null
}

function stampOf({ actor }: Viewer): Stamp {
  return { changedBy: actor, changedByRequest: currentScope()?.requestId ?? null }
}

/** Whether each statement is a transaction of its own. Otherwise who commits the transaction notes what it has written. */
function isCommittedAtOnce({ changes }: Pick<ServiceContext, 'changes'>): boolean {
  return changes !== undefined
}

/* ---- creating ---------------------------------------------------------------------------------- */

/** The method of a Prisma model, e.g. `store.assessment`, that creates rows. */
interface CreatedModel<Row, Data> {
  createManyAndReturn(args: { data: (Data & Stamp & { organisationId: string })[]; skipDuplicates: true }): PromiseLike<Row[]>
}

/**
 * Creates rows of the viewer's organisation at version 1, and returns those that were created. A row that violates a unique index is
 * skipped: of several concurrent writers, the index decides which one creates it.
 */
export async function createVersioned<Row extends Written, Data extends object>(
  { viewer, changes }: Pick<ServiceContext, 'viewer' | 'changes'>,
  model: CreatedModel<Row, Data>,
  rows: Data[],
): Promise<Row[]> {
  const { id: organisationId } = viewer.organisation
  const created = model.createManyAndReturn({ data: rows.map((row) => ({ ...row, organisationId, ...stampOf(viewer) })), skipDuplicates: true })
  return isCommittedAtOnce({ changes }) ? notingRows(created) : created
}

/* ---- changing ---------------------------------------------------------------------------------- */

/** The methods of a Prisma model that change a row. */
interface ChangedModel<Row, Data, Key> {
  findFirst(args: { where: Key & { organisationId: string } }): PromiseLike<Row | null>
  updateManyAndReturn(args: {
    where: { id: string; organisationId: string; version: number }
    data: Data & Stamp & { version: { increment: number } }
  }): PromiseLike<Row[]>
}

/** The columns that a change sets. A class, so that it can be told from a failure. */
export class Write<Data> {
  constructor(readonly data: Data) {}
}

/** A change of one row. */
export interface VersionedChange<Row, Data, Key> {
  model: ChangedModel<Row, Data, Key>
  /** The id or sourcedId of the row, as the client sent it. */
  key: Key
  /** Null or undefined: last write wins. */
  expectedVersion: number | null | undefined
  /**
   * The columns to set, if they do not depend on what is stored. Otherwise a function that gets the stored row, and returns the columns to
   * set or a failure. They are written only if the row still has the version that the function saw; otherwise the function is called
   * again, so that rules about the stored state also hold without an expectedVersion.
   */
  change: Write<Data> | ((row: Row) => Decision<Data> | Promise<Decision<Data>>)
}

type Decision<Data> = Write<Data> | ValidationError

/** Changes one row of the viewer's organisation. Returns the row as it was written, or why it was not. */
export async function changeVersioned<Row extends VersionedRow, Data extends object, Key extends { id: string } | { sourcedId: string }>(
  { viewer, changes }: ServiceContext,
  { model, key, expectedVersion, change }: VersionedChange<Row, Data, Key>,
): Promise<Row | ValidationError | NotFoundError | ConflictError<Row>> {
  const named = 'id' in key ? key.id : key.sourcedId
  if ('id' in key && !isUuid(key.id)) return new NotFoundError([named])
  const { id: organisationId } = viewer.organisation
  const write = async (id: string, version: number, { data }: Write<Data>): Promise<Row | undefined> => {
    const update = { where: { id, organisationId, version }, data: { ...data, version: { increment: 1 }, ...stampOf(viewer) } }
    const rows = model.updateManyAndReturn(update)
    // A deadlock inside of a transaction rolls all of it back, so only the code that started the transaction could repeat it.
    const [changed] = await (isCommittedAtOnce({ changes }) ? unlessDeadlocked(notingRows(rows)) : rows)
    if (changed) changes?.announce([changed.id])
    return changed
  }
  // The common case needs one statement. If it changes nothing, the loop below finds out why.
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

/** Returns no row if PostgreSQL cancelled the statement to resolve a deadlock, as if another writer had been faster: the caller tries again. */
async function unlessDeadlocked<Row>(changed: PromiseLike<Row[]>): Promise<Row[]> {
  try {
    return await changed
  } catch (error) {
    if (isDeadlock(error)) return []
    throw error
  }
}

/** Makes a ConflictError, and counts it for the metrics. */
export function conflict<Row extends VersionedRow>(current: Row, expectedVersion: number): ConflictError<Row> {
  const scope = currentScope()
  if (scope) scope.conflicts += 1
  return new ConflictError(expectedVersion, current)
}

/**
 * Replaces the sections of many assessments with one statement. The transaction must have locked them.
 *
 * @throws Error when a row no longer has the version that was read, which the lock should make impossible.
 */
export async function replaceLockedSections(
  { store, viewer }: ServiceContext,
  rows: { id: string; version: number; sections: object[] }[],
): Promise<void> {
  if (rows.length === 0) return
  const { changedBy, changedByRequest } = stampOf(viewer)
  const changed = await store.$executeRaw`
    UPDATE "Assessment" AS a
    SET "sections" = r."sections", "version" = a."version" + 1, "changedBy" = ${changedBy}, "changedByRequest" = ${changedByRequest}
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS r("id" uuid, "version" int, "sections" jsonb)
    WHERE a."id" = r."id" AND a."version" = r."version" AND a."organisationId" = ${viewer.organisation.id}::uuid`
  if (changed !== rows.length) throw new Error(`${rows.length - changed} locked assessments had another version.`)
}
