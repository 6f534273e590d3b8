import DataLoader from 'dataloader'
import { Prisma, type Revision } from '../generated/prisma/client.js'
import { runOutsideOfRequests } from '../request-scope/request-scope.js'
import { revisionColumn, type VersionedKind } from './revisions.js'

type Store = Prisma.TransactionClient

/** What a subscription looks for: the revisions of a row after the last version that it has told. */
export interface Look {
  organisationId: string
  kind: VersionedKind
  id: string
  after: number
}

/** How many revisions of a row one look finds. */
export const REVISIONS_PER_LOOK = 10
/** How many looks one statement answers. */
export const LOOKS_PER_STATEMENT = 100

const loaders = new WeakMap<Store, DataLoader<Look, Revision[], string>>()

/**
 * Finds the first revisions after a version, oldest first. All subscriptions that look in the same turn of the event loop share a statement, of
 * whatever rows, and those that look for the same share what it answers.
 */
export function look(store: Store, wanted: Look): Promise<readonly Revision[]> {
  const loader = loaders.get(store) ?? lookLoader(store)
  loaders.set(store, loader)
  return loader.load(wanted)
}

function lookLoader(store: Store): DataLoader<Look, Revision[], string> {
  const loader: DataLoader<Look, Revision[], string> = new DataLoader(
    async (wanted) => {
      // Who looks after the statement has been sent may find more.
      loader.clearAll()
      const kinds = [...new Set(wanted.map(({ kind }) => kind))]
      const found = await Promise.all(kinds.map((kind) => read(store, kind, wanted.filter((it) => it.kind === kind))))
      const byLook = new Map(found.flatMap((ofKind) => [...ofKind]))
      return wanted.map((it) => byLook.get(keyOf(it)) ?? [])
    },
    {
      cacheKeyFn: keyOf,
      maxBatchSize: LOOKS_PER_STATEMENT,
      // Outside of every request's scope, so that the statement is not cancelled when one of the subscribers leaves.
      batchScheduleFn: (load) => void setImmediate(() => runOutsideOfRequests(load)),
    },
  )
  return loader
}

function keyOf({ organisationId, kind, id, after }: Look): string {
  return `${organisationId} ${kind} ${id} ${after}`
}

/** Reads what is looked for in rows of one kind, by one statement. */
async function read(store: Store, kind: VersionedKind, wanted: Look[]): Promise<Map<string, Revision[]>> {
  const column = Prisma.raw(`"${revisionColumn[kind]}"`)
  const revisions = await store.$queryRaw<(Revision & { rowId: string; after: number })[]>`
    SELECT wanted."rowId", wanted."after", revision.*
    FROM unnest(${wanted.map((it) => it.organisationId)}::uuid[], ${wanted.map((it) => it.id)}::uuid[], ${wanted.map((it) => it.after)}::int[])
      AS wanted("organisationId", "rowId", "after"),
    LATERAL (
      SELECT * FROM "Revision"
      WHERE "organisationId" = wanted."organisationId" AND ${column} = wanted."rowId" AND "version" > wanted."after"
      ORDER BY "version" LIMIT ${REVISIONS_PER_LOOK}
    ) AS revision
    ORDER BY revision."version"`
  const found = new Map<string, Revision[]>()
  for (const { rowId, after, ...revision } of revisions) {
    const key = keyOf({ organisationId: revision.organisationId, kind, id: rowId, after })
    const ofLook = found.get(key)
    if (ofLook) ofLook.push(revision)
    else found.set(key, [revision])
  }
  return found
}
