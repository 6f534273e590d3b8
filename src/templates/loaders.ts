import { byId } from '../shared/connections.js'
import type { Reads } from '../shared/plain-reads.js'

export function templateLoaders(reads: Reads, organisationId: string) {
  return {
    templates: byId((ids) => reads.assessmentTemplate.findMany({ where: { organisationId, id: { in: ids } } })),
    outcomes: byId((ids) => reads.outcome.findMany({ where: { organisationId, id: { in: ids } } })),
  }
}
