import type { Plugin } from 'graphql-yoga'
import type { Logger } from 'pino'
import { type ChangeSignals, LocalChangeSignals } from '../database/change-signals.js'
import type { PrismaClient } from '../generated/prisma/client.js'
import type { RequestObserver } from '../observability/request-observer.js'
import { door } from '../process/door.js'
import { type RequestScope, runInScope } from '../request-scope/request-scope.js'
import type { Authenticate } from './authentication.js'
import { contextFactory } from './context.js'
import { createGraphiqlPage } from './graphiql/page.js'
import type { GuardedRequest } from './guards/guard.js'
import { NO_PERSISTED_DOCUMENTS, type PersistedDocuments } from './guards/persisted-documents.js'
import { emptyResponse, errorResponse, type HttpResponse, send, streamHeaders, toFetchResponse, unexpectedErrorResponse, withHeaders } from './http/http-response.js'
import { createCors } from './http/cors.js'
import { graphqlOverHttp } from './http/graphql-over-http.js'
import { type HttpRequest, httpRequestFromFetch, httpRequestFromNode } from './http/http-request.js'
import { namesLoopback } from './http/loopback.js'
import { maskedError } from './http/masked-errors.js'
import { beginRequest, commonHeaders, logRequest } from './http/request-log.js'
import { graphqlGuards, httpGuards, type Limits } from './pipeline.js'
import { schema } from './schema.js'

export const GRAPHQL_PATH = '/graphql'

export interface ServerDependencies {
  /** The models that all reads and writes go through. */
  store: PrismaClient
  authenticate: Authenticate
  log: Logger
  /** For /ready: whether the database answers and is migrated, and the server is not stopping. */
  isReady(): Promise<boolean>
  /** False: GraphiQL is not served. Otherwise the API key that its page starts with, if there is a demo key. */
  graphiql: { demoKey: string | undefined } | false
  limits: Limits
  /** Whether clients may read the schema, and errors may suggest names of the schema. */
  introspection: boolean
  /** Origins of the web pages that may send requests (CORS). */
  corsOrigins: string[]
  /** How subscriptions learn of changes. By default they learn only of the changes that this process makes. */
  changes?: ChangeSignals
  /** Documents that clients may name by their hash. By default there are none. */
  persistedDocuments?: PersistedDocuments
  /** True: only requests are answered whose Host header names this machine itself. */
  onlyLoopback?: boolean
  observers?: RequestObserver[]
  /** A plugin that executes operations. By default Yoga's executor does. */
  execution?: Plugin
}

const NOT_LOOPBACK = 'With demo keys, the gateway answers only at localhost, 127.0.0.1 or [::1].'

/** Handles HTTP requests: GraphQL, GraphiQL's page, /health and /ready. It does not listen; http/http-server.ts does. */
export function createServer(dependencies: ServerDependencies) {
  const { store, authenticate, log, isReady, graphiql, limits, introspection, corsOrigins, changes = new LocalChangeSignals(), persistedDocuments = NO_PERSISTED_DOCUMENTS, onlyLoopback = false, observers = [], execution } = dependencies
  const contextFor = contextFactory({ store, changes, authenticate, refreshTimeoutMs: limits.refreshTimeoutMs })
  const { guards, close } = httpGuards(limits, authenticate, log)
  const cors = createCors(corsOrigins)
  const graphiqlPage = graphiql ? createGraphiqlPage({ db: store, demoKey: graphiql.demoKey, log }) : undefined
  const graphql = graphqlOverHttp({
    schema,
    graphqlEndpoint: GRAPHQL_PATH,
    plugins: graphqlGuards({ limits, introspection, persistedDocuments, observers, execution }),
    // useDocumentCache does this, and bounds its memory.
    parserAndValidationCache: false,
    maskedErrors: { maskError: (error, message) => maskedError(error, message, log) },
    logging: {
      debug: (...args) => log.debug(args),
      info: (...args) => log.info(args),
      warn: (...args) => log.warn(args),
      // Yoga logs each error that it masks, which maskedError() has already logged with an id.
      error: (...args) => log.debug(args),
    },
    // Yoga's own HTTP features are off: answerTo() and the guards of HTTP do the same for all requests.
    // The health check cannot be turned off; this path has a blank, so that no request can name it.
    healthCheckEndpoint: '/ health',
    landingPage: false,
    cors: false,
    graphiql: false,
    multipart: false,
    maxRequestBodySize: false,
  })
  const { fetchAPI } = graphql

  async function answerTo(guarded: GuardedRequest, scope: RequestScope): Promise<HttpResponse | Response> {
    const { request } = guarded
    if (onlyLoopback && !namesLoopback(request.headers.get('host'))) return errorResponse(421, 'MISDIRECTED_REQUEST', NOT_LOOPBACK)
    const path = request.address?.pathname
    if (path === GRAPHQL_PATH) for (const observer of observers) observer.received?.(scope, request)
    const preflight = cors.preflight(request)
    if (preflight) return preflight
    if (path === '/health') return emptyResponse(200)
    if (path === '/ready') return emptyResponse((await isReady()) ? 200 : 503)
    // Only this exact path is answered: Yoga alone would accept `/graphql/` and `/any/graphql` too.
    if (path !== GRAPHQL_PATH) return path === undefined ? errorResponse(400, 'BAD_REQUEST', 'The address of the request is malformed.') : emptyResponse(404)
    const page = graphiqlPage?.(request)
    if (page) return page
    for (const guard of guards) {
      const judged = guard(guarded)
      const refusal = judged instanceof Promise ? await judged : judged
      if (refusal) return refusal
    }
    const { viewer, credentials, body } = guarded
    if (!viewer || !credentials) throw new Error('A request passed the guards without a viewer.')
    return graphql.answer(request, contextFor(viewer, credentials), body)
  }

  async function handle(request: HttpRequest, scope: RequestScope): Promise<HttpResponse | Response> {
    return runInScope(scope, async () => {
      const guarded: GuardedRequest = { request }
      const answer = await answerTo(guarded, scope).catch((error: unknown) => unexpectedErrorResponse(error, log))
      if (request.address?.pathname === GRAPHQL_PATH) {
        for (const observer of observers) observer.answered?.(scope, answer.status)
        logRequest(log, scope, guarded.viewer, answer.status)
      }
      return withHeaders(answer, { ...commonHeaders(scope), ...cors.headersFor(request), ...streamHeaders(answer) })
    })
  }

  return {
    /** Handles a request of node:http. */
    listener: door(log, async (incoming, outgoing) => {
      const request = httpRequestFromNode(incoming, outgoing, fetchAPI)
      const scope = beginRequest(request, limits.answerBytes)
      outgoing.once('close', () => scope.over())
      await send(await handle(request, scope), outgoing)
    }),
    /** Handles a request of the Fetch API, without a network connection. */
    async fetch(input: string | URL, init: RequestInit = {}): Promise<Response> {
      const request = httpRequestFromFetch(new fetchAPI.Request(input, init))
      const scope = beginRequest(request, limits.answerBytes)
      return toFetchResponse(await handle(request, scope), fetchAPI, () => scope.over())
    },
    async dispose(): Promise<void> {
      await graphql.dispose()
      close()
    },
  }
}
