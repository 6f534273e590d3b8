import type { ExecutionArgs, GraphQLError } from 'graphql'
import type { RequestScope } from '../request-scope/request-scope.js'

/** The headers of a request, by their names in lower case. */
export type RequestHeaders = Pick<Headers, 'get'>

/** What is executed of a request. */
export type ExecutedOperation = Pick<ExecutionArgs, 'document' | 'operationName'>

/** Hears of each request to the GraphQL path, and changes nothing of it. */
export interface RequestObserver {
  received?(scope: RequestScope, request: { method: string; headers: RequestHeaders }): void
  executing?(scope: RequestScope, executed: ExecutedOperation): void
  /** The errors of its answer, as the client is told them. */
  failed?(errors: readonly GraphQLError[]): void
  answered?(scope: RequestScope, status: number): void
}

/** Something that watches the gateway at work, until it is closed. */
export interface Observer extends RequestObserver {
  close(): Promise<void>
}
