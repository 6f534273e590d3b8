import { type CORSOptions, getCORSHeadersByRequestAndOptions } from '@whatwg-node/server'
import { emptyResponse, type HttpResponse } from './answer.js'
import type { HttpRequest } from './http-request.js'

/** A page of another site can send none of these without asking first. */
export const PREFLIGHT_HEADERS = ['apollo-require-preflight', 'x-apollo-operation-name']

/** What browsers are told that ask on behalf of web pages of other origins. */
export interface Cors {
  /** What an answer to this request carries. */
  headersFor(request: HttpRequest): Record<string, string>
  /** The answer to a browser that asks before it sends a request; undefined for every other request. */
  preflight(request: HttpRequest): HttpResponse | undefined
}

/** @param origins whose pages may send requests; without any, no page may. */
export function createCors(origins: string[]): Cors {
  const options: CORSOptions = {
    origin: origins,
    methods: ['GET', 'POST'],
    allowedHeaders: ['content-type', 'authorization', 'apikey', 'x-api-key', 'x-session-token', 'x-request-id', ...PREFLIGHT_HEADERS],
    exposedHeaders: ['x-request-id', 'retry-after'],
    // Credentials are headers that a page sets by itself; there are no cookies.
    credentials: false,
    maxAge: 600,
  }
  const isAsked = ({ headers }: HttpRequest) => origins.length > 0 && headers.get('origin') !== null
  return {
    headersFor: (request) => (isAsked(request) && getCORSHeadersByRequestAndOptions(request.toFetch(), options)) || {},
    preflight: (request) => (request.method === 'OPTIONS' && isAsked(request) ? emptyResponse(204) : undefined),
  }
}
