import type { Viewer } from '../domain/viewer.js'

/** Which assessments a viewer may see: those of the organisation. The scope is checked where they are asked for. */
export function visible(viewer: Viewer): { organisationId: string } {
  return { organisationId: viewer.organisation.id }
}
