import { type Authenticate, credentialsOf } from '../authentication.js'
import { currentScope } from '../../request-scope/request-scope.js'
import { errorResponse } from '../http/http-response.js'
import type { Guard } from './guard.js'

/** Refuses requests without exactly one valid credential with status 401. */
export function requireCredential(authenticate: Authenticate): Guard {
  return async (guarded) => {
    guarded.credentials = credentialsOf(guarded.request.headers)
    const viewer = await authenticate(guarded.credentials)
    if (viewer) {
      guarded.viewer = viewer
      const scope = currentScope()
      if (scope) scope.organisationId = viewer.organisation.id
      return undefined
    }
    const message = 'Exactly one valid credential is needed: Authorization: Bearer, apikey, X-API-Key or X-Session-Token.'
    return errorResponse(401, 'UNAUTHENTICATED', message, { 'www-authenticate': 'Bearer' })
  }
}
