import { isRecord } from '../domain/is-record.js'
import type { ChangeSignals } from '../database/change-signals.js'
import type { Viewer } from '../domain/viewer.js'
import type { PrismaClient } from '../generated/prisma/client.js'
import type { Context } from '../graphql/context.js'
import { Budget } from '../graphql/budget.js'
import { Loaders } from '../graphql/loaders.js'
import type { RequestHeaders } from '../observability/request-observer.js'
import { type Authenticate, authenticateTogether } from './authentication.js'

interface ContextOptions {
  store: PrismaClient
  changes: ChangeSignals
  authenticate: Authenticate
  refreshTimeoutMs: number
}

/** Returns a function that makes the GraphQL context of one request. */
export function contextFactory({ store, changes, authenticate, refreshTimeoutMs }: ContextOptions) {
  const again = authenticateTogether(authenticate)
  return (viewer: Viewer, credentials: RequestHeaders): Context => ({
    store,
    changes,
    viewer,
    loaders: new Loaders({ store, viewer }),
    budget: new Budget(),
    burst: {},
    reauthenticate: () => again(credentials),
    refreshTimeoutMs,
  })
}

/** The context of a resolver or plugin, whose type GraphQL does not know. */
export function asContext(value: unknown): Context {
  if (!isContext(value)) throw new Error('An operation has no context.')
  return value
}

function isContext(value: unknown): value is Context {
  return isRecord(value) && 'loaders' in value
}
