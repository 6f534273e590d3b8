import type { PrismaClient } from './generated/prisma/client.js'
import type { Loaders } from './loaders.js'
import type { Changes } from './shared/changes.js'
import type { Viewer } from './shared/viewer.js'

/** What every resolver and service of one request may use. */
export interface Context {
  db: PrismaClient
  viewer: Viewer
  loaders: Loaders
  changes: Changes
  /** Whom the request's credential stands for by now; null when it is no longer good. */
  reauthenticate(): Promise<Viewer | null>
  /** Deadline of refreshAssessments, in milliseconds. */
  refreshTimeoutMs: number
}
