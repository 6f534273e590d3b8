import type { ChangeAnnouncer } from '../database/change-signals.js'
import type { Prisma } from '../generated/prisma/client.js'
import type { Viewer } from './viewer.js'

/** What a function of a service.ts needs. */
export interface ServiceContext {
  /** Prisma's models, outside of a transaction, or inside of one that a command of the gateway has started. */
  store: Prisma.TransactionClient
  viewer: Viewer
  /** Signals changed rows to subscriptions. Left out inside of a transaction, because nothing is committed yet. */
  changes?: ChangeAnnouncer
}
