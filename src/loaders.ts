import type { PrismaClient } from './generated/prisma/client.js'
import { organisationLoaders } from './organisations/loaders.js'
import { recordLoaders } from './records/loaders.js'
import { resultLoaders } from './results/loaders.js'
import type { Reads } from './shared/plain-reads.js'
import { revisionLoader } from './shared/versioned.js'
import { templateLoaders } from './templates/loaders.js'

/** Fresh loaders for one request, all bound to the viewer's organisation. */
export function createLoaders(db: PrismaClient, reads: Reads, organisationId: string) {
  return {
    ...organisationLoaders(reads, organisationId),
    ...templateLoaders(reads, organisationId),
    ...recordLoaders(reads, organisationId),
    ...resultLoaders(reads, organisationId),
    revisions: revisionLoader(db, organisationId),
  }
}
export type Loaders = ReturnType<typeof createLoaders>
