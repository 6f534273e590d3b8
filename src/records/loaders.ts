import { byId } from '../shared/connections.js'
import type { Reads } from '../shared/plain-reads.js'

export function recordLoaders(reads: Reads, organisationId: string) {
  return { folders: byId((ids) => reads.folder.findMany({ where: { organisationId, id: { in: ids } } })) }
}
