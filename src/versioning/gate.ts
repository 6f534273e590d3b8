import { isDeadlock } from '../database/errors.js'
import { ConflictError, NotFoundError, ValidationError, type VersionedRow } from '../domain/failures.js'
import type { Services } from '../domain/services.js'
import { isUuid } from '../domain/validation.js'
import type { Viewer } from '../domain/viewer.js'
import { currentScope } from '../request-scope/request-scope.js'

/*
 * The gate: the one place through which a versioned row is created or changed. It checks the version, adds 1 and
 * names the actor in the statement that changes the row; triggers of the database write the
 * revision within that same statement, and refuse whoever goes around the gate.
 */

/** Who writes a version of a row, and in which request; its revision repeats it. */
interface Stamp {
  changedBy: string
  /** Null when a command of the gateway writes. */
  changedByRequest: string | null
}

function stampOf({ actor }: Viewer): Stamp {
  return { changedBy: actor, changedByRequest: currentScope()?.requestId ?? null }
}

/* ---- creating ---------------------------------------------------------------------------------- */

/** What the gate needs of a Prisma model to create rows, e.g. `store.assessment`. */
interface CreatedModel<Row, Data> {
  createManyAndReturn(args: { data: (Data & Stamp & { organisationId: string })[]; skipDuplicates: true }): PromiseLike<Row[]>
}

/**
 * Creates rows of the viewer's organisation, each at version 1: those that were created. One that breaks a unique index is
 * left out, so that of several writers the index decides who is first.
 */
export async function createVersioned<Row, Data extends object>(
  { viewer }: Pick<Services, 'viewer'>,
  model: CreatedModel<Row, Data>,
  rows: Data[],
): Promise<Row[]> {
  const { id: organisationId } = viewer.organisation
  return model.createManyAndReturn({ data: rows.map((row) => ({ ...row, organisationId, ...stampOf(viewer) })), skipDuplicates: true })
}

/* ---- changing ---------------------------------------------------------------------------------- */

/** What the gate needs of a Prisma model to change a row. */
interface ChangedModel<Row, Data, Key> {
  findFirst(args: { where: Key & { organisationId: string } }): PromiseLike<Row | null>
  updateManyAndReturn(args: {
    where: { id: string; organisationId: string; version: number }
    data: Data & Stamp & { version: { increment: number } }
  }): PromiseLike<Row[]>
}

/** What a change sets, as opposed to a failure. */
export class Write<Data> {
  constructor(readonly data: Data) {}
}

/** How one row is to change. */
export interface VersionedChange<Row, Data, Key> {
  model: ChangedModel<Row, Data, Key>
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
    // A deadlock inside of a transaction has undone all of it, so that only its owner can start again.
    const isAlone = changes !== undefined
    const [changed] = await (isAlone ? unlessDeadlocked(model.updateManyAndReturn(update)) : model.updateManyAndReturn(update))
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
  const scope = currentScope()
  if (scope) scope.conflicts += 1
  return new ConflictError(expectedVersion, current)
}

/**
 * The gate for many assessments at once: replaces the sections of rows that the transaction has
 * locked, in one statement.
 *
 * @throws Error when a row is not at the version that was read, which the lock rules out.
 */
export async function replaceLockedSections(
  { store, viewer }: Services,
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
