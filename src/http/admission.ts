import type { Plugin } from 'graphql-yoga'
import type { Logger } from 'pino'
import type { Authenticate, RequestHeaders } from '../auth.js'
import type { Viewer } from '../shared/viewer.js'
import { type Answer, failure, responseOf, unexpectedFailure } from './failure.js'
import type { ServerContext } from './handed-over.js'
import type { RateLimits } from './rate-limits.js'

/** Whom a request comes from, or how it is refused, before anything of it is read. */
export type Admit = (headers: RequestHeaders) => Promise<{ viewer: Viewer } | { refusal: Answer }>

/** Lets nobody in without exactly one good credential, nor more often than its limit allows. */
export function admission(authenticate: Authenticate, rateLimits: RateLimits, log: Logger): Admit {
  return async (headers) => {
    try {
      const viewer = await authenticate(headers)
      if (viewer) {
        const refusal = await rateLimits.ofCredential(viewer)
        return refusal ? { refusal } : { viewer }
      }
      const message = 'Exactly one valid credential is needed: Authorization: Bearer, apikey, X-API-Key or X-Session-Token.'
      return { refusal: failure(401, 'UNAUTHENTICATED', message, { 'www-authenticate': 'Bearer' }) }
    } catch (error) {
      return { refusal: unexpectedFailure(error, log) }
    }
  }
}

export function useAdmission(path: string, admit: Admit, viewers: WeakMap<Request, Viewer>): Plugin<object, ServerContext> {
  return {
    async onRequest({ request, url, serverContext, fetchAPI, endResponse }) {
      if (url.pathname !== path) return
      const admitted = serverContext.viewer ? { viewer: serverContext.viewer } : await admit(request.headers)
      if ('viewer' in admitted) viewers.set(request, admitted.viewer)
      else endResponse(responseOf(fetchAPI, admitted.refusal))
    },
  }
}
