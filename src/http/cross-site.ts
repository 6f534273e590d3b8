import type { CORSOptions, Plugin } from 'graphql-yoga'
import type { RequestHeaders } from '../auth.js'
import { failure, responseOf } from './failure.js'

/** A page of another site can send none of these without asking first. */
const PREFLIGHT_HEADERS = ['apollo-require-preflight', 'x-apollo-operation-name']

/**
 * Takes requests only in a form that a browser does not send to another site without asking it
 * first, whatever credentials it might add by itself: JSON by POST, or GET with a header that says so.
 */
export function useCrossSitePrevention(path: string): Plugin {
  return {
    onRequest({ request, url, fetchAPI, endResponse }) {
      if (url.pathname !== path) return
      const { method, headers } = request
      if (method === 'POST' && !isJson(headers)) {
        endResponse(responseOf(fetchAPI, failure(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send the request as application/json.')))
      }
      // Clients of subscriptions send them so. No page of another site could add the credential, which is a header.
      const isStream = headers.get('accept')?.includes('text/event-stream') === true
      if (method === 'GET' && !isStream && !PREFLIGHT_HEADERS.some((name) => headers.get(name))) {
        const message = 'Send the request by POST, or with the header Apollo-Require-Preflight: true.'
        endResponse(responseOf(fetchAPI, failure(400, 'PREFLIGHT_REQUIRED', message)))
      }
    },
  }
}

/** Whether the body is announced as JSON, which no form of a web page can be. */
export function isJson(headers: RequestHeaders): boolean {
  return headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() === 'application/json'
}

/** How browsers are answered that ask on behalf of a page of one of these origins. */
export function allowedOrigins(origins: string[]): CORSOptions {
  if (origins.length === 0) return false
  return {
    origin: origins,
    methods: ['GET', 'POST'],
    allowedHeaders: ['content-type', 'authorization', 'apikey', 'x-api-key', 'x-session-token', 'x-request-id', ...PREFLIGHT_HEADERS],
    exposedHeaders: ['x-request-id', 'retry-after'],
    // Credentials are headers that a page sets by itself; there are no cookies.
    credentials: false,
    maxAge: 600,
  }
}
