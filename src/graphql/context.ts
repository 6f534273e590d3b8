import type { ChangeSignals } from '../database/change-signals.js'
import type { Services } from '../domain/services.js'
import type { Viewer } from '../domain/viewer.js'
import type { PrismaClient } from '../generated/prisma/client.js'
import type { Loaders } from './loaders.js'

/** What every resolver and service of one request may use. */
export interface Context extends Services {
  store: PrismaClient
  changes: ChangeSignals
  loaders: Loaders
  /** Whom the request's credential stands for by now; null when it is no longer good. */
  reauthenticate(): Promise<Viewer | null>
  /** Deadline of refreshAssessments, in milliseconds. */
  refreshTimeoutMs: number
}
