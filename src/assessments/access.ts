import type { Viewer } from '../domain/viewer.js'

/** Prisma's condition for the assessments that a viewer may see: all of the organisation. The fields and services check the scope. */
export function visible(viewer: Viewer): { organisationId: string } {
  return { organisationId: viewer.organisation.id }
}
