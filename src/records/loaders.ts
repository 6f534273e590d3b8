import type { PrismaClient } from '../generated/prisma/client.js'
import { byId } from '../shared/connections.js'

export function recordLoaders(db: PrismaClient, organisationId: string) {
  return { folders: byId((ids) => db.folder.findMany({ where: { organisationId, id: { in: ids } } })) }
}
