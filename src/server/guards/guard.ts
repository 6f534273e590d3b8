import type { Viewer } from '../../domain/viewer.js'
import type { RequestHeaders } from '../../observability/request-observer.js'
import type { HttpResponse } from '../http/answer.js'
import type { ParsedBody } from '../http/graphql-over-http.js'
import type { HttpRequest } from '../http/http-request.js'

/** A request to the GraphQL path on its way through the guards of HTTP, with what they have found out about it. */
export interface GuardedRequest {
  request: HttpRequest
  /** Set once its credential was found to be good: whom it stands for, and the headers that it is. */
  viewer?: Viewer
  credentials?: RequestHeaders
  /** Set once its body was read. */
  body?: ParsedBody
}

/** Lets a request pass, or answers why not. Guards are called one after the other, in the order of pipeline.ts. */
export type Guard = (guarded: GuardedRequest) => Promise<HttpResponse | undefined> | HttpResponse | undefined
