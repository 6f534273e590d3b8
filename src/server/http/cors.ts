import { type CORSOptions, getCORSHeadersByRequestAndOptions } from '@whatwg-node/server'
import { emptyResponse, type HttpResponse } from './http-response.js'
import type { HttpRequest } from './http-request.js'

/** Headers that are not CORS-safelisted: a page of another origin can send them only after a preflight request. */
export const PREFLIGHT_HEADERS = ['apollo-require-preflight', 'x-apollo-operation-name']

export interface Cors {
  /** The CORS headers of the response to this request. */
  headersFor(request: HttpRequest): Record<string, string>
  /** The response to a preflight request; undefined for every other request. */
  preflight(request: HttpRequest): HttpResponse | undefined
}

/** @param origins Origins whose pages may send requests. If empty, CORS is off and no page of another origin may. */
export function createCors(origins: string[]): Cors {
  const options: CORSOptions = {
    origin: origins,
    methods: ['GET', 'POST'],
    allowedHeaders: ['content-type', 'authorization', 'apikey', 'x-api-key', 'x-session-token', 'x-request-id', ...PREFLIGHT_HEADERS],
    exposedHeaders: ['x-request-id', 'retry-after'],
    // In CORS, credentials are cookies, and the gateway has none. A page sets the headers with its API key or token itself.
    credentials: false,
    maxAge: 600,
  }
  const isCorsRequest = ({ headers }: HttpRequest) => origins.length > 0 && headers.get('origin') !== null
  return {
    headersFor: (request) => (isCorsRequest(request) && getCORSHeadersByRequestAndOptions(request.toFetch(), options)) || {},
    preflight: (request) => (request.method === 'OPTIONS' && isCorsRequest(request) ? emptyResponse(204) : undefined),
  }
}
