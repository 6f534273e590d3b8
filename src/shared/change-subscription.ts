import type { FieldMap } from '@pothos/core'
import { GraphQLError, type GraphQLResolveInfo } from 'graphql'
import { builder } from '../builder.js'
import type { Context } from '../context.js'
import { type Change, changesOf } from './change-stream.js'
import type { LoadById } from './references.js'
import type { VersionedKind } from './versioned.js'
import type { Scope } from './vocabulary.js'

type Types = typeof builder.$inferSchemaTypes

/** Declares `<kind>Change`: what a write did, and a field with the row. */
export function changeType(
  kind: VersionedKind,
  row: (t: PothosSchemaTypes.ObjectFieldBuilder<Types, Change>) => FieldMap,
) {
  return builder.objectRef<Change>(`${kind}Change`).implement({
    description: 'One change, as it happened.',
    fields: (t) => ({
      version: t.int({ description: 'The version that the write made.', resolve: ({ revision }) => revision.version }),
      changedPaths: t.stringList({ description: 'The fields that the write changed.', resolve: ({ revision }) => revision.changedPaths }),
      actor: t.string({ description: 'Who wrote, as in `history`.', resolve: ({ revision }) => revision.actor }),
      ...row(t),
    }),
  })
}

/** The row of a change as it is now. */
export async function changedRow<Row>(
  load: LoadById<Row>,
  { id }: Change,
  context: Context,
  info: GraphQLResolveInfo,
): Promise<Row> {
  const row = await load(context, info, id)
  if (!row) throw new Error(`The changed row ${id} is gone.`)
  return row
}

/**
 * Starts a subscription to one row.
 *
 * @param row the row, or null where the viewer's organisation has none
 * @throws GraphQLError with code NOT_FOUND or BAD_USER_INPUT
 */
export function subscribeTo(
  context: Context,
  kind: VersionedKind,
  scope: Scope,
  row: { id: string; version: number } | null,
  sinceVersion: number | null | undefined,
): AsyncIterable<Change> {
  if (!row) throw new GraphQLError('Not found.', { extensions: { code: 'NOT_FOUND' } })
  if (sinceVersion != null && sinceVersion < 0) {
    throw new GraphQLError('sinceVersion is 0 or more.', { extensions: { code: 'BAD_USER_INPUT' } })
  }
  return changesOf(context, kind, row.id, sinceVersion ?? row.version, scope)
}

export const sinceVersionDescription =
  'The last version that the client has seen: what came after it is told first. Left out or null: only what comes from now on.'
