import { GraphQLError } from 'graphql'
import { Repeater } from 'graphql-yoga'
import type { Context } from '../graphql/context.js'
import { missingScope } from '../graphql/missing-scope.js'
import type { Revision } from '../generated/prisma/client.js'
import { look, REVISIONS_PER_LOOK } from './looks.js'
import type { VersionedKind } from './revisions.js'
import type { Scope } from '../domain/scopes.js'

/** One change of a row: the payload of an event of a subscription. */
export interface Change {
  revision: Revision
  /** The id of the row that changed. */
  id: string
}

/**
 * Streams every change of a row after version `since`, in order, without gaps or repeats. Nothing is buffered for slow subscribers: each
 * reads the revisions when it is ready for them.
 *
 * @throws GraphQLError from the stream, with code UNAUTHENTICATED or FORBIDDEN, when the credential no longer allows it. It is checked
 *   before each event, and each time that there is none.
 */
export function changesOf(context: Context, kind: VersionedKind, id: string, since: number, scope: Scope): AsyncIterable<Change> {
  const organisationId = context.viewer.organisation.id
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
        const revisions = await look(context.store, { organisationId, kind, id, seen })
        if (revisions.length === 0) await requireStillAllowed(context, scope)
        for (const revision of revisions) {
          if (isOver()) return
          await requireStillAllowed(context, scope)
          await push({ revision, id })
          seen = revision.version
        }
        // There may be more: do not wait, but look again.
        if (revisions.length === REVISIONS_PER_LOOK) round.abort()
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
