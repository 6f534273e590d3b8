import type { PrismaClient } from '../generated/prisma/client.js'
import { byId } from '../shared/connections.js'

export function organisationLoaders(db: PrismaClient, organisationId: string) {
  return {
    users: byId((ids) => db.user.findMany({ where: { organisationId, id: { in: ids } } })),
    entities: byId((ids) => db.entity.findMany({ where: { organisationId, id: { in: ids } } })),
  }
}
