import type { Organisation, User } from '../generated/prisma/client.js'
import { ForbiddenError } from './failures.js'
import { type Scope, scopes } from './scopes.js'

/** Who sends a request, as its credential proves. */
export interface Viewer {
  organisation: Organisation
  /** Null for a key that is not of a user, and for a token whose subject is no known user. */
  user: User | null
  /** Includes the _READ scope of each _WRITE scope. */
  scopes: ReadonlySet<Scope>
  /** What revisions call the viewer: `user:<subject>`, `key:<id>`, `session:<id>` or `system:<command>`. */
  actor: string
}

/** Null if the viewer has the scope, otherwise the failure to return. Each function of a service.ts calls it first. */
export function requireScope(viewer: Viewer, scope: Scope): ForbiddenError | null {
  return viewer.scopes.has(scope) ? null : new ForbiddenError(`The scope ${scope} is required.`, [], scope)
}

/** The viewer for a command of the gateway, such as `import`: it has all scopes in one organisation. */
export function commandViewer(organisation: Organisation, command: string): Viewer {
  return { organisation, user: null, scopes: new Set(scopes), actor: `system:${command}` }
}
