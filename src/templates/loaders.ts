import type { PrismaClient } from '../generated/prisma/client.js'
import { byId } from '../shared/connections.js'

export function templateLoaders(db: PrismaClient, organisationId: string) {
  return {
    templates: byId((ids) => db.assessmentTemplate.findMany({ where: { organisationId, id: { in: ids } } })),
    outcomes: byId((ids) => db.outcome.findMany({ where: { organisationId, id: { in: ids } } })),
  }
}
