import type { Prisma, PrismaClient } from './generated/prisma/client.js'
import type { Loaders } from './loaders.js'
import type { Viewer } from './shared/viewer.js'

/** What every resolver and service of one request may use. */
export interface Context {
  db: PrismaClient
  viewer: Viewer
  loaders: Loaders
  /** Deadline of refreshAssessments, in milliseconds. */
  refreshTimeoutMs: number
}

/** What a use case needs of the context. A command may put a transaction of its own for `db`. */
export interface Services {
  db: Prisma.TransactionClient
  viewer: Viewer
}
