import { MIMEType } from 'node:util'
import type { RequestHeaders } from '../../observability/request-observer.js'
import { errorResponse } from '../http/http-response.js'
import { PREFLIGHT_HEADERS } from '../http/cors.js'
import type { Guard } from './guard.js'

/**
 * Prevents cross-site request forgery (CSRF). Accepts only requests that a browser does not send to another origin without a preflight
 * request: JSON by POST, or GET with one of `PREFLIGHT_HEADERS`.
 */
export const preventCsrf: Guard = ({ request: { method, headers } }) => {
  if (method === 'POST' && !isJson(headers)) return errorResponse(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send the request as application/json.')
  // Clients of server-sent events use GET without such a header. It is safe: the credential is a header too, which no page of another
  // origin can add without a preflight request.
  const isStream = headers.get('accept')?.includes('text/event-stream') === true
  if (method === 'GET' && !isStream && !PREFLIGHT_HEADERS.some((name) => headers.get(name))) {
    return errorResponse(400, 'PREFLIGHT_REQUIRED', 'Send the request by POST, or with the header Apollo-Require-Preflight: true.')
  }
  return undefined
}

/** Whether the content type is JSON, which no HTML form can send. */
function isJson(headers: RequestHeaders): boolean {
  try {
    return new MIMEType(headers.get('content-type') ?? '').essence === 'application/json'
  } catch {
    return false
  }
}
