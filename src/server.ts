import { useExtendContextValuePerExecuteSubscriptionEvent } from '@envelop/execute-subscription-event'
import { createYoga, type Plugin, useReadinessCheck } from 'graphql-yoga'
import type { Logger } from 'pino'
import { type Authenticate, credentialsOf, type RequestHeaders } from './auth.js'
import type { Context } from './context.js'
import type { PrismaClient } from './generated/prisma/client.js'
import { useGraphiqlPage } from './graphiql.js'
import { admission, useAdmission } from './http/admission.js'
import { CostLimit, useCostLimit } from './http/cost.js'
import { allowedOrigins, useCrossSitePrevention } from './http/cross-site.js'
import { useDeadline } from './http/deadline.js'
import { documentCaches } from './http/document-cache.js'
import { type DocumentLimits, useDocumentLimits } from './http/document-limits.js'
import { fetchDoor, nodeListener } from './http/doors.js'
import type { ServerContext } from './http/handed-over.js'
import { useHiddenSchema } from './http/hidden-schema.js'
import { HotDocuments } from './http/hot-documents.js'
import { masked } from './http/masked-errors.js'
import { useOperationLog } from './http/operation-log.js'
import { createRateLimits, type RateLimitSettings, useAddressLimit } from './http/rate-limits.js'
import { type RequestObserver, useObservers } from './http/request-observer.js'
import { useRequestBody } from './http/request-body.js'
import { createLoaders, type Loaders } from './loaders.js'
import { type PersistedDocuments, usePersistedDocuments } from './persisted-documents.js'
import type { PreparedStatements } from './prepared-statements.js'
import { schema } from './schema.js'
import { type Changes, LocalChanges } from './shared/changes.js'
import { plainReads } from './shared/plain-reads.js'
import { plainWrites } from './shared/plain-writes.js'
import type { Viewer } from './shared/viewer.js'

export const GRAPHQL_PATH = '/graphql'

export interface ServerDependencies {
  db: PrismaClient
  statements: PreparedStatements
  authenticate: Authenticate
  log: Logger
  /** Whether the database answers and is migrated, and the server is not about to stop. */
  isReady(): Promise<boolean>
  /** False: off. Otherwise the key that the page sends unless told otherwise, if there is one to show. */
  graphiql: { demoKey: string | undefined } | false
  limits: Limits
  /** Whether the schema may be asked for, and wrong names be answered with similar ones. */
  introspection: boolean
  /** Web pages of these origins may send requests from a browser. */
  corsOrigins: string[]
  /** How subscriptions hear of changes; left out, they hear of this process's alone. */
  changes?: Changes
  persistedDocuments?: PersistedDocuments | undefined
  observers?: RequestObserver[]
}

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

/** The HTTP edge: GraphQL, GraphiQL's page, /health and /ready. It listens nowhere by itself. */
export function createServer(dependencies: ServerDependencies) {
  const { db, statements, authenticate, log, isReady, graphiql, limits, introspection, corsOrigins, changes = new LocalChanges(), persistedDocuments, observers = [] } = dependencies
  const viewers = new WeakMap<Request, Viewer>()
  const path = GRAPHQL_PATH
  const reads = plainReads(db, statements)
  const writes = plainWrites(db, reads, statements)
  const rateLimits = createRateLimits(limits.rate, log)
  const admit = admission(authenticate, rateLimits, log)
  const cost = new CostLimit(limits.cost)
  const caches = documentCaches()
  const contextOf = (viewer: Viewer, headers: RequestHeaders): Context => {
    const credentials = credentialsOf(headers)
    let loaders: Loaders | undefined
    return {
      db,
      reads,
      writes,
      viewer,
      get loaders() {
        return (loaders ??= createLoaders(db, reads, viewer.organisation.id))
      },
      changes,
      reauthenticate: () => authenticate(credentials),
      refreshTimeoutMs: limits.refreshTimeoutMs,
    }
  }
  const hot = new HotDocuments({
    schema,
    path,
    bodyBytes: limits.bodyBytes,
    hasCors: corsOrigins.length > 0,
    operationTimeoutMs: limits.operationTimeoutMs,
    documents: caches.documentCache,
    persistedDocuments,
    cost,
    rateLimits,
    admit,
    contextOf,
    observers,
    log,
  })
  const yoga = createYoga<ServerContext, Context>({
    schema,
    graphqlEndpoint: path,
    healthCheckEndpoint: '/health',
    landingPage: false,
    cors: allowedOrigins(corsOrigins),
    multipart: false,
    // useRequestBody limits it, and reads it several times as fast.
    maxRequestBodySize: false,
    parserAndValidationCache: caches,
    graphiql: false,
    logging: {
      debug: (...args) => log.debug(args),
      info: (...args) => log.info(args),
      warn: (...args) => log.warn(args),
      // Yoga tells of each error that it masks; masked() has logged it by then, with an id.
      error: (...args) => log.debug(args),
    },
    plugins: [
      useOperationLog(path, viewers, log),
      ...(observers.length > 0 ? [useObservers(observers, path)] : []),
      useReadinessCheck({ endpoint: '/ready', check: isReady }),
      useOnlyGraphqlPath(),
      useAddressLimit(path, rateLimits),
      ...(graphiql ? [useGraphiqlPage({ path, db, demoKey: graphiql.demoKey, log })] : []),
      useAdmission(path, admit, viewers),
      useCrossSitePrevention(path),
      useRequestBody(limits.bodyBytes),
      ...(persistedDocuments ? [usePersistedDocuments(persistedDocuments)] : []),
      useDocumentLimits(limits.document),
      ...(introspection ? [] : [useHiddenSchema()]),
      useCostLimit(cost),
      useDeadline(limits.operationTimeoutMs),
      hot.plugin(),
      useFreshContextPerEvent(),
    ],
    maskedErrors: { maskError: (error, message) => masked(error, message, log) },
    context({ request }): Context {
      const viewer = viewers.get(request)
      if (!viewer) throw new Error('A request reached the schema without a viewer.')
      return contextOf(viewer, request.headers)
    },
  })
  return {
    /** Answers requests of node:http. */
    listener: nodeListener(hot, yoga),
    fetch: fetchDoor(hot, yoga),
    dispose: () => yoga.dispose(),
  }
}

/** Ends every other path here: Yoga answers `/graphql/` and `/any/graphql` too, where nobody would be asked for a credential. */
function useOnlyGraphqlPath(): Plugin {
  return {
    onRequest({ url, fetchAPI, endResponse }) {
      if (url.pathname !== GRAPHQL_PATH) endResponse(new fetchAPI.Response(null, { status: 404 }))
    },
  }
}

/** Gives each event of a subscription a context of its own: what an earlier one has loaded is stale. */
function useFreshContextPerEvent() {
  return useExtendContextValuePerExecuteSubscriptionEvent<Context>(({ args: { contextValue } }) => {
    if (!isContext(contextValue)) throw new Error('A subscription has no context.')
    const { db, reads, viewer } = contextValue
    return { contextPartial: { loaders: createLoaders(db, reads, viewer.organisation.id) } }
  })
}

function isContext(value: unknown): value is Context {
  return typeof value === 'object' && value !== null && 'loaders' in value
}
