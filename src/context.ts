import type { PrismaClient } from './generated/prisma/client.js'
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
