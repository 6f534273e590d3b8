import type { Plugin } from 'graphql-yoga'
import type { Logger } from 'pino'
import type { Authenticate } from '../auth.js'
import type { Viewer } from '../shared/viewer.js'
import { failure } from './failure.js'
import { unexpected } from './masked-errors.js'

/** Lets nobody in without exactly one good credential, before anything of the request is read. */
export function useAuthentication(path: string, authenticate: Authenticate, viewers: WeakMap<Request, Viewer>, log: Logger): Plugin {
  return {
    async onRequest({ request, url, fetchAPI, endResponse }) {
      if (url.pathname !== path) return
      try {
        const viewer = await authenticate(request.headers)
        if (viewer) viewers.set(request, viewer)
        else {
          const message = 'Exactly one valid credential is needed: Authorization: Bearer, apikey, X-API-Key or X-Session-Token.'
          endResponse(failure(fetchAPI, 401, 'UNAUTHENTICATED', message, { 'www-authenticate': 'Bearer' }))
        }
      } catch (error) {
        const { message, extensions: { code, http, ...extensions } } = unexpected(error, log)
        endResponse(failure(fetchAPI, http?.status ?? 500, String(code), message, http?.headers, extensions))
      }
    },
  }
}
