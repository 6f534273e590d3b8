import { GraphQLError } from 'graphql'
import { Repeater } from 'graphql-yoga'
import type { Context } from '../graphql/context.js'
import type { Revision } from '../generated/prisma/client.js'
import { revisionsAfter, type VersionedKind } from './revisions.js'
import type { Scope } from '../domain/scopes.js'

/** One change of a row, as a subscription tells it. */
export interface Change {
  revision: Revision
  /** The id of the row that changed. */
  id: string
}

/** Revisions read at a time by a subscriber that has some to catch up with. */
const REVISIONS_PER_READ = 100

/**
 * Every change of a row after version `since`, in order, without gaps or repeats. Nothing is kept
 * for a subscriber: it reads the revisions when it is ready for them, however slow it is.
 *
 * The stream ends with an error as soon as the credential no longer allows it.
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
        // Waiting starts before reading, so that a change in between wakes it up.
        round = new AbortController()
        const changed = context.changes.next(id, round.signal)
        const revisions = await revisionsAfter(context, kind, id, seen, REVISIONS_PER_READ)
        for (const revision of revisions) {
          if (isOver()) return
          await requireStillAllowed(context, scope)
          await push({ revision, id })
          seen = revision.version
        }
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
  if (!now.scopes.has(scope)) {
    throw new GraphQLError(`The scope ${scope} is required.`, { extensions: { code: 'FORBIDDEN', requiredScope: scope } })
  }
}
