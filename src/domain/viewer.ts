import type { Organisation, User } from '../generated/prisma/client.js'
import { ForbiddenError } from './failures.js'
import { type Scope, scopes } from './scopes.js'

/** Who sends the request, proven by its credential. */
export interface Viewer {
  organisation: Organisation
  /** Null for a key without a user, and for a token whose subject has no row. */
  user: User | null
  /** With the reading scope that each writing one includes. */
  scopes: ReadonlySet<Scope>
  /** `user:<subject>`, `key:<id>` or `session:<id>`, or `system:<command>`: what revisions name. */
  actor: string
}

/** The visible line at the top of a use case: null when the viewer may go on. */
export function requireScope(viewer: Viewer, scope: Scope): ForbiddenError | null {
  return viewer.scopes.has(scope) ? null : new ForbiddenError(`The scope ${scope} is required.`, [], scope)
}

/** A command of the gateway itself, which may do everything in one organisation. */
export function commandViewer(organisation: Organisation, command: string): Viewer {
  return { organisation, user: null, scopes: new Set(scopes), actor: `system:${command}` }
}
