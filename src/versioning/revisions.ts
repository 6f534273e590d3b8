import DataLoader from 'dataloader'
import type { ConflictError, VersionedRow } from '../domain/failures.js'
import type { Services } from '../domain/services.js'
import type { Revision } from '../generated/prisma/client.js'

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
const MAX_RANGES_PER_STATEMENT = 1_000

export class RevisionLoaders {
  /** Ranges of revisions, each newest first: one statement for all that are asked for at once. */
  readonly ranges

  constructor({ store, viewer }: Services) {
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
          orderBy: { version: 'desc' },
        })
        return ranges.map(({ kind, id, oldest, newest }) =>
          revisions.filter((it) => it[revisionColumn[kind]] === id && it.version >= oldest && it.version <= newest),
        )
      },
      { maxBatchSize: MAX_RANGES_PER_STATEMENT, cacheKeyFn: ({ id, oldest, newest }) => `${id} ${oldest} ${newest}` },
    )
  }
}

/** The first revisions of a row after a version, in order. */
export function revisionsAfter({ store, viewer }: Services, kind: VersionedKind, id: string, version: number, take: number): Promise<Revision[]> {
  return store.revision.findMany({
    where: { organisationId: viewer.organisation.id, [revisionColumn[kind]]: id, version: { gt: version } },
    orderBy: { version: 'asc' },
    take,
  })
}

/** What was changed since the version that was expected; later revisions describe rows later than `current`. */
export async function changedPaths({ current, expectedVersion }: ConflictError, { ranges }: RevisionLoaders): Promise<string[]> {
  const { id, version } = current
  if (expectedVersion >= version) return []
  const newestFirst = await ranges.load({ kind: kindOf(current), id, oldest: expectedVersion + 1, newest: version })
  return [...new Set(newestFirst.toReversed().flatMap((revision) => revision.changedPaths))]
}
