import type { Viewer } from '../domain/viewer.js'

/** Which templates and outcomes a viewer may see: those of the organisation, with any scope. */
export function visible(viewer: Viewer): { organisationId: string } {
  return { organisationId: viewer.organisation.id }
}
