import { useExtendContextValuePerExecuteSubscriptionEvent } from '@envelop/execute-subscription-event'
import type { Plugin, YogaServerOptions } from 'graphql-yoga'
import type { Logger } from 'pino'
import type { Context } from '../graphql/context.js'
import { Loaders } from '../graphql/loaders.js'
import type { RequestObserver } from '../observability/request-observer.js'
import type { Authenticate } from './authentication.js'
import { readBody } from './guards/body.js'
import { CostLimit, useCostLimit } from './guards/cost.js'
import { requireCredential } from './guards/credential.js'
import { preventCsrf } from './guards/cross-site.js'
import { useDeadline } from './guards/deadline.js'
import { useDocumentCache } from './guards/document-cache.js'
import { type DocumentLimits, useDocumentLimits } from './guards/document-limits.js'
import type { Guard } from './guards/guard.js'
import { useHiddenSchema } from './guards/hidden-schema.js'
import { type PersistedDocuments, usePersistedDocuments } from './guards/persisted-documents.js'
import { createRateLimits, type RateLimitSettings } from './guards/rate-limits.js'
import { useObservation } from './http/observation.js'

/*
 * The one list of guards. Every request to the GraphQL path passes those of HTTP, in this order, before anything is known of what it
 * asks for; then every operation passes those of GraphQL, whoever executes it and however its answer is sent.
 */

/** What a request may take. */
export interface Limits {
  /** How long an operation may take, in milliseconds. */
  operationTimeoutMs: number
  /** How long refreshAssessments may take from the time when it begins to write, in milliseconds. */
  refreshTimeoutMs: number
  /** Length of a request's body, in bytes. */
  bodyBytes: number
  document: DocumentLimits
  /** Objects that an operation may answer at most. */
  cost: number
  rate: RateLimitSettings
}

export function httpGuards(limits: Limits, authenticate: Authenticate, log: Logger): { guards: Guard[]; close(): void } {
  const { byAddress, byCredential, close } = createRateLimits(limits.rate, log)
  return { guards: [byAddress, requireCredential(authenticate), byCredential, preventCsrf, readBody(limits.bodyBytes)], close }
}

interface GraphqlOptions {
  limits: Limits
  /** Whether the schema may be asked for, and wrong names be answered with similar ones. */
  introspection: boolean
  persistedDocuments: PersistedDocuments | undefined
  observers: RequestObserver[]
  /** Executes operations instead of Yoga's executor. */
  execution: Plugin | undefined
}

export function graphqlGuards({ limits, introspection, persistedDocuments, observers, execution }: GraphqlOptions): NonNullable<YogaServerOptions<object, object>['plugins']> {
  return [
    useObservation(observers),
    ...(persistedDocuments ? [usePersistedDocuments(persistedDocuments)] : []),
    useDocumentCache(),
    useDocumentLimits(limits.document),
    ...(introspection ? [] : [useHiddenSchema()]),
    useCostLimit(new CostLimit(limits.cost)),
    ...(execution ? [execution] : []),
    // Behind what executes, whose time it limits.
    useDeadline(limits.operationTimeoutMs),
    useFreshLoadersPerEvent(),
  ]
}

/** Gives each event of a subscription loaders of its own: what an earlier one has loaded is stale. */
function useFreshLoadersPerEvent() {
  return useExtendContextValuePerExecuteSubscriptionEvent<Context>(({ args: { contextValue } }) => {
    if (!isContext(contextValue)) throw new Error('A subscription has no context.')
    return { contextPartial: { loaders: new Loaders(contextValue) } }
  })
}

function isContext(value: unknown): value is Context {
  return typeof value === 'object' && value !== null && 'loaders' in value
}
