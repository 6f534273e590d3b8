import { byId } from '../shared/connections.js'
import type { Reads } from '../shared/plain-reads.js'

export function resultLoaders(reads: Reads, organisationId: string) {
  return {
    lineItems: byId((ids) => reads.assessmentLineItem.findMany({ where: { organisationId, id: { in: ids } } })),
    scoreScales: byId((ids) => reads.scoreScale.findMany({ where: { organisationId, id: { in: ids } } })),
  }
}
