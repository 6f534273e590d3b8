import { GraphQLError } from 'graphql'
import { NoConnectionError } from '../database/pool.js'
import type { Scope } from '../domain/scopes.js'
import type { Revision } from '../generated/prisma/client.js'
import type { Context } from '../graphql/context.js'
import { missingScope } from '../graphql/missing-scope.js'
import { look, REVISIONS_PER_LOOK } from './looks.js'
import type { VersionedKind } from './revisions.js'

/** One change of a row: the payload of an event of a subscription. */
export interface Change {
  revision: Revision
  /** The id of the row that changed. */
  id: string
}

/** The row whose changes a subscription tells, and the scope that this needs. */
export interface FollowedRow {
  kind: VersionedKind
  id: string
  scope: Scope
}

/**
 * Streams every change of a row after version `since`, in order, without gaps or repeats. Nothing is buffered for slow subscribers: each
 * looks for changes when it is ready for them.
 *
 * @throws GraphQLError from the stream, with code UNAUTHENTICATED or FORBIDDEN, when the credential no longer allows it. It is checked at each
 *   look for changes and before each event.
 */
export class ChangeStream implements AsyncIterableIterator<Change> {
  /** What the last look has found, and how much of it has been told. */
  #found: readonly Revision[] = []
  #told = 0
  #mayHaveChanged = true
  #isOver = false
  #wake = () => {}
  #unfollow: (() => void) | undefined

  constructor(
    readonly context: Context,
    readonly row: FollowedRow,
    /** The last version that has been told. */
    private since: number,
  ) {}

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Change, undefined>> {
    if (this.#isOver) return this.#end()
    // Before the first look, so that a change in between is not missed.
    this.#unfollow ??= this.context.changes.follow(this.row.id, () => {
      this.#mayHaveChanged = true
      this.#wake()
    })
    try {
      const revision = await this.#nextRevision()
      if (!revision) return this.#end()
      this.since = revision.version
      return { done: false, value: { revision, id: this.row.id } }
    } catch (error) {
      this.#end()
      throw error instanceof NoConnectionError ? overloaded() : error
    }
  }

  return(): Promise<IteratorResult<Change, undefined>> {
    return Promise.resolve(this.#end())
  }

  #end(): IteratorResult<Change, undefined> {
    this.#isOver = true
    this.#unfollow?.()
    this.#wake()
    return { done: true, value: undefined }
  }

  /** The revision after the last one; undefined when nobody wants it any more. */
  async #nextRevision(): Promise<Revision | undefined> {
    const known = this.#found[this.#told]
    if (known) await this.#requireStillAllowed()
    let revision = known
    while (!revision && !this.#isOver) revision = await this.#look()
    if (this.#isOver) return undefined
    this.#told += 1
    return revision
  }

  /** Waits until the row may have changed, and looks for revisions. The credential is checked at the same time. */
  async #look(): Promise<Revision | undefined> {
    if (!this.#mayHaveChanged) await new Promise<void>((resolve) => (this.#wake = resolve))
    if (this.#isOver) return undefined
    this.#mayHaveChanged = false
    const { store, viewer } = this.context
    const { kind, id } = this.row
    const wanted = { organisationId: viewer.organisation.id, kind, id, after: this.since }
    ;[this.#found] = await Promise.all([look(store, wanted), this.#requireStillAllowed()])
    this.#told = 0
    if (this.#found.length === REVISIONS_PER_LOOK) this.#mayHaveChanged = true
    return this.#found[0]
  }

  async #requireStillAllowed(): Promise<void> {
    const { viewer, reauthenticate } = this.context
    const now = await reauthenticate()
    if (!now || now.organisation.id !== viewer.organisation.id) {
      throw new GraphQLError('The credential is no longer valid.', { extensions: { code: 'UNAUTHENTICATED' } })
    }
    if (!now.scopes.has(this.row.scope)) throw missingScope(this.row.scope)
  }
}

function overloaded(): GraphQLError {
  return new GraphQLError('The database has no connection free.', { extensions: { code: 'SERVICE_UNAVAILABLE' } })
}
