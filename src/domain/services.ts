import type { ChangeAnnouncer } from '../database/change-signals.js'
import type { Prisma } from '../generated/prisma/client.js'
import type { Viewer } from './viewer.js'

/** What a use case needs: where the rows are, and on whose behalf it works. */
export interface Services {
  /** The models of Prisma's client, outside of any transaction, or inside of one that a command has begun. */
  store: Prisma.TransactionClient
  viewer: Viewer
  /** Told of each row that has changed; left out inside of a command's transaction, which is not committed yet. */
  changes?: ChangeAnnouncer
}
