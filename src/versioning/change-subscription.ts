import type { FieldMap } from '@pothos/core'
import { GraphQLError } from 'graphql'
import type { Scope } from '../domain/scopes.js'
import { builder } from '../graphql/builder.js'
import type { Context } from '../graphql/context.js'
import { type Change, ChangeStream } from './change-stream.js'
import type { VersionedKind } from './revisions.js'

type Types = typeof builder.$inferSchemaTypes

/** A kind of row that has a subscription. */
interface Followed {
  kind: VersionedKind
  scope: Scope
  /** What descriptions of the schema call the row. */
  noun: string
  /** The argument that identifies the row, and its description. */
  key: { name: 'id' | 'sourcedId'; description: string }
  /** Finds the viewer's row by the value of that argument, or null. */
  find(context: Context, named: string): PromiseLike<{ id: string; version: number } | null> | null
  /** Declares the field of a change that returns the row. */
  row(t: PothosSchemaTypes.ObjectFieldBuilder<Types, Change>): FieldMap[string]
}

/** Declares the subscription `<kind>Changed` and the type of its events, `<kind>Change`. */
export function changeSubscription({ kind, scope, noun, key, find, row }: Followed): void {
  const name = uncapitalized[kind]
  const change = builder.objectRef<Change>(`${kind}Change`).implement({
    description: 'One change, as it happened.',
    fields: (t) => ({
      version: t.int({ description: 'The version that the write made.', resolve: ({ revision }) => revision.version }),
      changedPaths: t.stringList({ description: 'The fields that the write changed.', resolve: ({ revision }) => revision.changedPaths }),
      actor: t.string({ description: 'Who wrote, as in `history`.', resolve: ({ revision }) => revision.actor }),
      [name]: row(t),
    }),
  })
  builder.subscriptionField(`${name}Changed`, (t) =>
    t.field({
      type: change,
      authScopes: { scope },
      description: `Every change of one ${noun}, in order, without gaps or repeats. Needs ${scope}.`,
      args: {
        [key.name]: t.arg.id({ required: true, description: key.description }),
        sinceVersion: t.arg.int({
          description: 'The last version that the client has seen: what came after it is told first. Left out or null: only what comes from now on.',
        }),
      },
      async subscribe(_root, args, context) {
        const named = args[key.name]
        const since = args['sinceVersion']
        const found = typeof named === 'string' ? await find(context, named) : null
        if (!found) throw new GraphQLError('Not found.', { extensions: { code: 'NOT_FOUND' } })
        if (typeof since === 'number' && since < 0) {
          throw new GraphQLError('sinceVersion is 0 or more.', { extensions: { code: 'BAD_USER_INPUT' } })
        }
        return new ChangeStream(context, { kind, id: found.id, scope }, typeof since === 'number' ? since : found.version)
      },
      resolve: (it) => it,
    }),
  )
}

export const rowDescription = 'The row as it is now, which may be a later version already.'

const uncapitalized = { Assessment: 'assessment', AssessmentRecord: 'assessmentRecord', AssessmentResult: 'assessmentResult' } as const
