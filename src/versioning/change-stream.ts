import { GraphQLError } from 'graphql'
import { Repeater } from 'graphql-yoga'
import type { Context } from '../graphql/context.js'
import { missingScope } from '../graphql/missing-scope.js'
import type { Revision } from '../generated/prisma/client.js'
import { revisionsAfter, type VersionedKind } from './revisions.js'
import type { Scope } from '../domain/scopes.js'

/** One change of a row: the payload of an event of a subscription. */
export interface Change {
  revision: Revision
  /** The id of the row that changed. */
  id: string
}

/** How many revisions a subscriber that is behind reads with one statement. */
const REVISIONS_PER_READ = 100

/**
 * Streams every change of a row after version `since`, in order, without gaps or repeats. Nothing is buffered for slow subscribers: each
 * reads the revisions when it is ready for them.
 *
 * @throws GraphQLError from the stream, with code UNAUTHENTICATED or FORBIDDEN, when the credential no longer allows it. It is checked
 *   before each event.
 */
export function changesOf(context: Context, kind: VersionedKind, id: string, since: number, scope: Scope): AsyncIterable<Change> {
  return new Repeater<Change>(async (push, stop) => {
    let over = false
    const isOver = () => over
    let round = new AbortController()
    void stop.then(() => {
      over = true
      round.abort()
    })
    let seen = since
    try {
      while (!isOver()) {
        // Start to wait before reading, so that a change in between is not missed.
        round = new AbortController()
        const changed = context.changes.next(id, round.signal)
        const revisions = await revisionsAfter(context, kind, id, seen, REVISIONS_PER_READ)
        for (const revision of revisions) {
          if (isOver()) return
          await requireStillAllowed(context, scope)
          await push({ revision, id })
          seen = revision.version
        }
        // After some revisions there may be more: do not wait, but read again.
        if (revisions.length > 0) round.abort()
        await changed
      }
    } catch (error) {
      stop(error)
    }
  })
}

async function requireStillAllowed({ viewer, reauthenticate }: Context, scope: Scope): Promise<void> {
  const now = await reauthenticate()
  if (!now || now.organisation.id !== viewer.organisation.id) {
    throw new GraphQLError('The credential is no longer valid.', { extensions: { code: 'UNAUTHENTICATED' } })
  }
  if (!now.scopes.has(scope)) throw missingScope(scope)
}
