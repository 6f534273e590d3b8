import DataLoader from 'dataloader'
import { Prisma, type Revision } from '../generated/prisma/client.js'
import { runOutsideOfRequests } from '../request-scope/request-scope.js'
import { revisionColumn, type VersionedKind } from './revisions.js'

type Store = Prisma.TransactionClient

/** What a subscriber looks for: the revisions of a row after the last version that it has seen. */
export interface Look {
  organisationId: string
  kind: VersionedKind
  id: string
  seen: number
}

/** How many revisions of a row one look finds. */
export const REVISIONS_PER_LOOK = 100
/** How many rows are looked at by one statement. */
const ROWS_PER_STATEMENT = 100

const looks = new WeakMap<Store, DataLoader<Look, Revision[], string>>()

/**
 * Returns the first revisions after a version, oldest first. All subscribers that look in the same turn of the event loop share a statement, of
 * whatever rows, and those of the same row and version its answer.
 */
export function look(store: Store, wanted: Look): Promise<Revision[]> {
  let loader = looks.get(store)
  if (!loader) looks.set(store, (loader = lookLoader(store)))
  return loader.load(wanted)
}

function lookLoader(store: Store): DataLoader<Look, Revision[], string> {
  const loader: DataLoader<Look, Revision[], string> = new DataLoader(
    async (wanted) => {
      // Whoever looks after the statement has been sent may find more.
      loader.clearAll()
      const kinds = [...new Set(wanted.map(({ kind }) => kind))]
      const found = await Promise.all(kinds.map(async (kind) => read(store, kind, wanted.filter((it) => it.kind === kind))))
      const byLook = new Map(found.flatMap((ofKind) => [...ofKind]))
      return wanted.map((it) => byLook.get(keyOf(it)) ?? [])
    },
    {
      cacheKeyFn: keyOf,
      maxBatchSize: ROWS_PER_STATEMENT,
      // Outside of every request's scope, so that it is not cancelled when one of the subscribers leaves.
      batchScheduleFn: (load) => void setImmediate(() => runOutsideOfRequests(load)),
    },
  )
  return loader
}

function keyOf({ organisationId, kind, id, seen }: Look): string {
  return `${organisationId} ${kind} ${id} ${seen}`
}

/** Reads what was looked for in rows of one kind, by one statement. */
async function read(store: Store, kind: VersionedKind, wanted: Look[]): Promise<Map<string, Revision[]>> {
  const column = Prisma.raw(`"${revisionColumn[kind]}"`)
  const revisions = await store.$queryRaw<(Revision & { rowId: string; seen: number })[]>`
    SELECT wanted."rowId", wanted."seen", revision.*
    FROM unnest(${wanted.map((it) => it.organisationId)}::uuid[], ${wanted.map((it) => it.id)}::uuid[], ${wanted.map((it) => it.seen)}::int[])
      AS wanted("organisationId", "rowId", "seen"),
    LATERAL (
      SELECT * FROM "Revision"
      WHERE "organisationId" = wanted."organisationId" AND ${column} = wanted."rowId" AND "version" > wanted."seen"
      ORDER BY "version" LIMIT ${REVISIONS_PER_LOOK}
    ) AS revision
    ORDER BY revision."version"`
  const found = new Map<string, Revision[]>()
  for (const { rowId, seen, ...revision } of revisions) {
    const key = keyOf({ organisationId: revision.organisationId, kind, id: rowId, seen })
    const ofLook = found.get(key)
    if (ofLook) ofLook.push(revision)
    else found.set(key, [revision])
  }
  return found
}
