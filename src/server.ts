import { randomUUID } from 'node:crypto'
import { useExtendContextValuePerExecuteSubscriptionEvent } from '@envelop/execute-subscription-event'
import { GraphQLError, Kind } from 'graphql'
import { createYoga, maskError, type Plugin, useReadinessCheck, type YogaInitialContext } from 'graphql-yoga'
import type { Logger } from 'pino'
import type { Authenticate } from './auth.js'
import type { Context } from './context.js'
import type { PrismaClient } from './generated/prisma/client.js'
import { useGraphiqlPage } from './graphiql.js'
import { createLoaders } from './loaders.js'
import { type PersistedDocuments, usePersistedDocuments } from './persisted-documents.js'
import { schema } from './schema.js'
import { type Changes, LocalChanges } from './shared/changes.js'
import type { Viewer } from './shared/viewer.js'

export const GRAPHQL_PATH = '/graphql'

export interface ServerDependencies {
  db: PrismaClient
  authenticate: Authenticate
  log: Logger
  /** Whether the database answers and is migrated, and the server is not about to stop. */
  isReady(): Promise<boolean>
  /** False: off. Otherwise the key that the page sends unless told otherwise, if there is one to show. */
  graphiql: { demoKey: string | undefined } | false
  refreshTimeoutMs: number
  /** How subscriptions hear of changes; left out, they hear of this process's alone. */
  changes?: Changes
  persistedDocuments?: PersistedDocuments | undefined
}

/** The HTTP edge: GraphQL, GraphiQL's page, /health and /ready. It listens nowhere by itself. */
export function createServer({ db, authenticate, log, isReady, graphiql, refreshTimeoutMs, changes = new LocalChanges(), persistedDocuments }: ServerDependencies) {
  const viewers = new WeakMap<Request, Viewer>()
  return createYoga<object, Context>({
    schema,
    graphqlEndpoint: GRAPHQL_PATH,
    healthCheckEndpoint: '/health',
    landingPage: false,
    cors: false,
    multipart: false,
    graphiql: false,
    logging: {
      debug: (...args) => log.debug(args),
      info: (...args) => log.info(args),
      warn: (...args) => log.warn(args),
      error: (...args) => log.error(args),
    },
    plugins: [
      useReadinessCheck({ endpoint: '/ready', check: isReady }),
      useOnlyGraphqlPath(),
      ...(graphiql ? [useGraphiqlPage({ path: GRAPHQL_PATH, db, demoKey: graphiql.demoKey, log })] : []),
      useAuthentication(authenticate, viewers, log),
      useOnlyJson(),
      useFreshContextPerEvent(),
      ...(persistedDocuments ? [usePersistedDocuments(persistedDocuments)] : []),
    ],
    maskedErrors: { maskError: (error, message) => masked(error, message, log) },
    context({ request }: YogaInitialContext): Context {
      const viewer = viewers.get(request)
      if (!viewer) throw new Error('A request reached the schema without a viewer.')
      return {
        db,
        viewer,
        loaders: createLoaders(db, viewer.organisation.id),
        changes,
        reauthenticate: () => authenticate(request.headers),
        refreshTimeoutMs,
      }
    },
  })
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
  return useExtendContextValuePerExecuteSubscriptionEvent<YogaInitialContext & Context>(({ args: { contextValue } }) => {
    if (!isContext(contextValue)) throw new Error('A subscription has no context.')
    const { db, viewer } = contextValue
    return { contextPartial: { loaders: createLoaders(db, viewer.organisation.id) } }
  })
}

function isContext(value: unknown): value is Context {
  return typeof value === 'object' && value !== null && 'loaders' in value
}

/** Refuses forms, which a browser sends to other sites without asking. */
function useOnlyJson(): Plugin {
  return {
    onRequest({ request, url, fetchAPI, endResponse }) {
      if (url.pathname !== GRAPHQL_PATH || request.method !== 'POST') return
      const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
      if (type === 'application/json') return
      endResponse(failure(fetchAPI, 415, 'UNSUPPORTED_MEDIA_TYPE', 'Send the request as application/json.'))
    },
  }
}

/** Lets nobody in without exactly one good credential, before anything of the request is read. */
function useAuthentication(
  authenticate: Authenticate,
  viewers: WeakMap<Request, Viewer>,
  log: Logger,
): Plugin {
  return {
    async onRequest({ request, url, fetchAPI, endResponse }) {
      if (url.pathname !== GRAPHQL_PATH) return
      try {
        const viewer = await authenticate(request.headers)
        if (viewer) viewers.set(request, viewer)
        else {
          const message = 'Exactly one valid credential is needed: Authorization: Bearer, apikey, X-API-Key or X-Session-Token.'
          endResponse(failure(fetchAPI, 401, 'UNAUTHENTICATED', message, { 'www-authenticate': 'Bearer' }))
        }
      } catch (error) {
        const { message, extensions } = unexpected(error, log)
        endResponse(failure(fetchAPI, 500, String(extensions['code']), message, {}, extensions))
      }
    },
  }
}

function failure(
  { Response }: { Response: typeof globalThis.Response },
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
  extensions: Record<string, unknown> = {},
): Response {
  const body = JSON.stringify({ errors: [{ message, extensions: { ...extensions, code } }] })
  return new Response(body, { status, headers: { ...headers, 'content-type': 'application/json; charset=utf-8' } })
}

/** Whatever the client cannot act on is logged with an id, and told by that id alone. */
function masked(error: unknown, message: string, log: Logger): Error {
  const shown = maskError(error, message)
  if (!(shown instanceof GraphQLError) || shown !== error) return unexpected(error, log)
  const { code } = shown.extensions
  if (code !== undefined) return code === 'INTERNAL_SERVER_ERROR' ? unexpected(error, log) : shown
  // GraphQL's own errors have no code. One at a field is about what the field answered, any other about what was sent.
  if (shown.nodes?.some(({ kind }) => kind === Kind.FIELD)) return unexpected(error, log)
  // A new error would make Yoga log this one.
  shown.extensions['code'] = 'BAD_USER_INPUT'
  return shown
}

function unexpected(error: unknown, log: Logger): GraphQLError {
  const errorId = randomUUID()
  log.error({ err: error instanceof GraphQLError ? (error.originalError ?? error) : error, errorId }, 'unexpected error')
  return new GraphQLError('Unexpected error.', {
    ...(error instanceof GraphQLError && { nodes: error.nodes, path: error.path }),
    extensions: { code: 'INTERNAL_SERVER_ERROR', errorId },
  })
}
