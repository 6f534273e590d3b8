import type { Prisma, PrismaClient } from './generated/prisma/client.js'
import type { Loaders } from './loaders.js'
import type { Changes } from './shared/changes.js'
import type { Reads } from './shared/plain-reads.js'
import type { Writes } from './shared/plain-writes.js'
import type { Viewer } from './shared/viewer.js'

/** What every resolver and service of one request may use. */
export interface Context {
  db: PrismaClient
  /** Reads of rows as `db` has them, faster. */
  reads: Reads
  /** The models of versioned rows for the gate, as `db` has them, faster. */
  writes: Writes
  viewer: Viewer
  loaders: Loaders
  changes: Changes
  /** Whom the request's credential stands for by now; null when it is no longer good. */
  reauthenticate(): Promise<Viewer | null>
  /** Deadline of refreshAssessments, in milliseconds. */
  refreshTimeoutMs: number
}

/** What a use case needs of the context. A command may put a transaction of its own for `db`. */
export interface Services {
  db: Prisma.TransactionClient
  /** The same outside of any transaction; left out with one. */
  reads?: Reads
  writes?: Writes
  viewer: Viewer
  /** Told of each change. A command leaves it out: its transaction is not committed yet. */
  changes?: Changes
}
