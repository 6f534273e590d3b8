import type { RequestHeaders } from '../../observability/request-observer.js'
import { errorResponse } from '../http/answer.js'
import { PREFLIGHT_HEADERS } from '../http/cors.js'
import type { Guard } from './guard.js'

/**
 * Takes requests only in a form that a browser does not send to another site without asking it
 * first, whatever credentials it might add by itself: JSON by POST, or GET with a header that says so.
 */
export const preventCsrf: Guard = ({ request: { method, headers } }) => {
  if (method === 'POST' && !isJson(headers)) return errorResponse(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send the request as application/json.')
  // Clients of subscriptions send them so. No page of another site could add the credential, which is a header.
  const isStream = headers.get('accept')?.includes('text/event-stream') === true
  if (method === 'GET' && !isStream && !PREFLIGHT_HEADERS.some((name) => headers.get(name))) {
    return errorResponse(400, 'PREFLIGHT_REQUIRED', 'Send the request by POST, or with the header Apollo-Require-Preflight: true.')
  }
  return undefined
}

/** Whether the body is announced as JSON, which no form of a web page can be. */
function isJson(headers: RequestHeaders): boolean {
  return headers.get('content-type')?.split(';', 1).join().trim().toLowerCase() === 'application/json'
}
