import type { ChangeSignals } from '../database/change-signals.js'
import type { ServiceContext } from '../domain/service-context.js'
import type { Viewer } from '../domain/viewer.js'
import type { PrismaClient } from '../generated/prisma/client.js'
import type { Budget } from './budget.js'
import type { Loaders } from './loaders.js'

/** The context of a request's resolvers. */
export interface Context extends ServiceContext {
  store: PrismaClient
  changes: ChangeSignals
  loaders: Loaders
  budget: Budget
  /** Those events of subscriptions have the same one that may show the same read of a row. */
  burst: object
  /** Looks the request's credential up again. Null if it is no longer valid, e.g. revoked. */
  reauthenticate(): Promise<Viewer | null>
  /** Deadline of refreshAssessments, in milliseconds. */
  refreshTimeoutMs: number
}
