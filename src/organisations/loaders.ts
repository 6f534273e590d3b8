import { byId } from '../shared/connections.js'
import type { Reads } from '../shared/plain-reads.js'

export function organisationLoaders(reads: Reads, organisationId: string) {
  return {
    users: byId((ids) => reads.user.findMany({ where: { organisationId, id: { in: ids } } })),
    entities: byId((ids) => reads.entity.findMany({ where: { organisationId, id: { in: ids } } })),
  }
}
