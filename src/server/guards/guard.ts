import type { Viewer } from '../../domain/viewer.js'
import type { RequestHeaders } from '../../observability/request-observer.js'
import type { HttpResponse } from '../http/http-response.js'
import type { ParsedBody } from '../http/graphql-over-http.js'
import type { HttpRequest } from '../http/http-request.js'

/** A request to the GraphQL path, with what the guards of HTTP have found out about it so far. */
export interface GuardedRequest {
  request: HttpRequest
  /** Set by requireCredential, for a valid credential. */
  viewer?: Viewer
  /** The headers with the credential, to check it again later. Set by requireCredential. */
  credentials?: RequestHeaders
  /** Set by readBody, for a POST. */
  body?: ParsedBody
}

/** Checks a request. Returns undefined to let it pass, or the response that refuses it. pipeline.ts has the order of the guards. */
export type Guard = (guarded: GuardedRequest) => Promise<HttpResponse | undefined> | HttpResponse | undefined
