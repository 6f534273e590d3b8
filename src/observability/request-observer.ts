import type { ExecutionArgs, GraphQLError } from 'graphql'
import type { RequestScope } from '../request-scope/request-scope.js'

/** The headers of a request. Names are in lower case. */
export type RequestHeaders = Pick<Headers, 'get'>

/** The operation of a request that is executed. */
export type ExecutedOperation = Pick<ExecutionArgs, 'document' | 'operationName'>

/** Is called for the requests to the GraphQL path. It must not change them. */
export interface RequestObserver {
  received?(scope: RequestScope, request: { method: string; headers: RequestHeaders }): void
  executing?(scope: RequestScope, executed: ExecutedOperation): void
  /** Gets the errors of the response, after masking. Not called for a response without errors. */
  failed?(errors: readonly GraphQLError[]): void
  answered?(scope: RequestScope, status: number): void
}

/** An observer with resources to close, e.g. a server of its own. */
export interface Observer extends RequestObserver {
  close(): Promise<void>
}
