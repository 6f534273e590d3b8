import { type Authenticate, credentialsOf } from '../authentication.js'
import { KeySetError, RETRY_AFTER_SECONDS } from '../key-set.js'
import { currentScope } from '../../request-scope/request-scope.js'
import { errorResponse } from '../http/http-response.js'
import type { Guard } from './guard.js'

/** Refuses requests without exactly one valid credential with status 401, or with 503 when the keys that verify it cannot be had. */
export function requireCredential(authenticate: Authenticate): Guard {
  return async (guarded) => {
    guarded.credentials = credentialsOf(guarded.request.headers)
    const viewer = await authenticate(guarded.credentials).catch((error: unknown) => {
      if (error instanceof KeySetError) return undefined
      throw error
    })
    if (viewer === undefined) {
      return errorResponse(503, 'SERVICE_UNAVAILABLE', 'Tokens cannot be verified for now.', { 'retry-after': String(RETRY_AFTER_SECONDS) })
    }
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
