import type { Viewer } from '../domain/viewer.js'

/** Prisma's condition for the templates, questions and outcomes that a viewer may see: all of the organisation, with any scope. */
export function visible(viewer: Viewer): { organisationId: string } {
  return { organisationId: viewer.organisation.id }
}
