import type { Viewer } from '../domain/viewer.js'

/** Which results, line items and scales a viewer may see: those of the organisation. The scope of results is checked where they are asked for. */
export function visible(viewer: Viewer): { organisationId: string } {
  return { organisationId: viewer.organisation.id }
}
