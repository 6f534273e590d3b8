import DataLoader from 'dataloader'
import type { ConflictError, VersionedRow } from '../domain/failures.js'
import type { ServiceContext } from '../domain/service-context.js'
import { afterTurns } from '../request-scope/turns.js'
import type { Revision } from '../generated/prisma/client.js'

/** The foreign key of Revision for each kind of row. */
export const revisionColumn = {
  Assessment: 'assessmentId',
  AssessmentRecord: 'assessmentRecordId',
  AssessmentResult: 'assessmentResultId',
} as const
export type VersionedKind = keyof typeof revisionColumn

/** The kind of a row, found by a column that only this kind has and that all of its queries select. */
export function kindOf(row: VersionedRow): VersionedKind {
  if ('workflowState' in row) return 'Assessment'
  return 'assessmentDefinitionId' in row ? 'AssessmentRecord' : 'AssessmentResult'
}

/** The revisions of one row from version `oldest` to `newest`, both included. */
export interface RevisionRange {
  kind: VersionedKind
  id: string
  oldest: number
  newest: number
}

/** Each range takes three or more parameters, and a PostgreSQL statement can have 65,535. */
const MAX_RANGES_PER_STATEMENT = 1_000

export class RevisionLoaders {
  /** Loads ranges of revisions, each newest first, with one statement for all that are loaded at the same time. */
  readonly ranges

  constructor({ store, viewer }: ServiceContext) {
    this.ranges = new DataLoader<RevisionRange, Revision[], string>(
      async (ranges) => {
        const revisions = await store.revision.findMany({
          where: {
            organisationId: viewer.organisation.id,
            OR: ranges.map(({ kind, id, oldest, newest }) => ({
              [revisionColumn[kind]]: id,
              version: { gte: oldest, lte: newest },
            })),
          },
        })
        // Grouped once and not searched for each range, which would take the square of their number.
        const rows = new Map<string | null, Map<number, Revision>>()
        for (const revision of revisions) {
          const row = rows.get(rowOf(revision))
          if (row) row.set(revision.version, revision)
          else rows.set(rowOf(revision), new Map([[revision.version, revision]]))
        }
        return ranges.map(({ id, oldest, newest }) => versionsOf(rows.get(id), oldest, newest))
      },
      { maxBatchSize: MAX_RANGES_PER_STATEMENT, batchScheduleFn: afterTurns, cacheKeyFn: ({ id, oldest, newest }) => `${id} ${oldest} ${newest}` },
    )
  }
}

/** The id of the row whose revision it is. */
function rowOf({ assessmentId, assessmentRecordId, assessmentResultId }: Revision): string | null {
  return assessmentId ?? assessmentRecordId ?? assessmentResultId
}

/** The revisions of a row from version `newest` down to `oldest`, both included. */
function versionsOf(revisions: ReadonlyMap<number, Revision> | undefined, oldest: number, newest: number): Revision[] {
  const found: Revision[] = []
  for (let version = newest; version >= oldest; version -= 1) {
    const revision = revisions?.get(version)
    if (revision) found.push(revision)
  }
  return found
}

/** The fields that changed after the expected version, up to the version of `current`. The row may have later revisions already. */
export async function changedPaths({ current, expectedVersion }: ConflictError, { ranges }: RevisionLoaders): Promise<string[]> {
  const { id, version } = current
  if (expectedVersion >= version) return []
  const newestFirst = await ranges.load({ kind: kindOf(current), id, oldest: expectedVersion + 1, newest: version })
  return [...new Set(newestFirst.toReversed().flatMap((revision) => revision.changedPaths))]
}
