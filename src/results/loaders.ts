import type { PrismaClient } from '../generated/prisma/client.js'
import { byId } from '../shared/connections.js'

export function resultLoaders(db: PrismaClient, organisationId: string) {
  return {
    lineItems: byId((ids) => db.assessmentLineItem.findMany({ where: { organisationId, id: { in: ids } } })),
    scoreScales: byId((ids) => db.scoreScale.findMany({ where: { organisationId, id: { in: ids } } })),
  }
}
