import type { Plugin, YogaServerOptions } from 'graphql-yoga'
import type { Logger } from 'pino'
import type { RequestObserver } from '../observability/request-observer.js'
import type { Authenticate } from './authentication.js'
import { useAnswerLimit } from './guards/answer-limit.js'
import { readBody } from './guards/body.js'
import { CostLimit, useCostLimit } from './guards/cost.js'
import { requireCredential } from './guards/credential.js'
import { preventCsrf } from './guards/csrf.js'
import { useDeadline } from './guards/deadline.js'
import { useDocumentCache } from './guards/document-cache.js'
import { type DocumentLimits, useDocumentLimits } from './guards/document-limits.js'
import { type FairShareSettings, OperationsInFlight, useFairShare } from './guards/fair-share.js'
import type { Guard } from './guards/guard.js'
import { useHiddenSchema } from './guards/hidden-schema.js'
import { type PersistedDocuments, usePersistedDocuments } from './guards/persisted-documents.js'
import { createRateLimits, type RateLimitSettings } from './guards/rate-limits.js'
import { useSubscriptionEvents } from './guards/subscription-events.js'
import { type SubscriptionLimits, useSubscriptionLimits } from './guards/subscription-limits.js'
import { useObservation } from './http/observation.js'

/*
 * All guards, in the order in which they run. A request to the GraphQL path first passes the guards of HTTP, which do not look at its
 * operation. Its operation then passes the guards of GraphQL, whichever executor runs it and in whichever form the response is sent.
 */

/** The limits that every request is held to. */
export interface Limits {
  /** How long an operation may take, in milliseconds. */
  operationTimeoutMs: number
  /** How long refreshAssessments may take, in milliseconds. It replaces `operationTimeoutMs` once the arguments have been checked. */
  refreshTimeoutMs: number
  /** Maximum length of a request's body, in bytes. */
  bodyBytes: number
  /** How many bytes an operation may have from the database, and how many it may answer. */
  answerBytes: number
  document: DocumentLimits
  /** Maximum cost of an operation, which guards/cost.ts defines. */
  cost: number
  rate: RateLimitSettings
  fair: FairShareSettings
  subscriptions: SubscriptionLimits
}

export function httpGuards(limits: Limits, authenticate: Authenticate, log: Logger): { guards: Guard[]; close(): void } {
  const { byAddress, byCredential, close } = createRateLimits(limits.rate, log)
  return { guards: [byAddress, requireCredential(authenticate), byCredential, preventCsrf, readBody(limits.bodyBytes)], close }
}

interface GraphqlOptions {
  limits: Limits
  /** Whether clients may read the schema, and errors may suggest names of the schema. */
  introspection: boolean
  persistedDocuments: PersistedDocuments
  observers: RequestObserver[]
  /** Replaces Yoga's executor, for the operations that it can execute. */
  execution: Plugin | undefined
}

export function graphqlGuards({ limits, introspection, persistedDocuments, observers, execution }: GraphqlOptions): NonNullable<YogaServerOptions<object, object>['plugins']> {
  const { operationTimeoutMs, answerBytes } = limits
  const operations = new OperationsInFlight(limits.fair)
  return [
    useObservation(observers),
    usePersistedDocuments(persistedDocuments),
    useDocumentCache(),
    useDocumentLimits(limits.document),
    ...(introspection ? [] : [useHiddenSchema()]),
    useCostLimit(new CostLimit(limits.cost)),
    ...(execution ? [execution] : []),
    useAnswerLimit(answerBytes),
    useFairShare(operations),
    // After the executor's plugin: each plugin wraps the execute function that the plugins before it have set.
    useDeadline(operationTimeoutMs),
    useSubscriptionLimits(limits.subscriptions),
    useSubscriptionEvents({ operationTimeoutMs, answerBytes, operations }),
  ]
}
