import SchemaBuilder from '@pothos/core'
import DirectivesPlugin from '@pothos/plugin-directives'
import FederationPlugin from '@pothos/plugin-federation'
import PrismaPlugin from '@pothos/plugin-prisma'
import RelayPlugin from '@pothos/plugin-relay'
import ScopeAuthPlugin from '@pothos/plugin-scope-auth'
import type { Context } from './context.js'
import { getDatamodel } from '../generated/pothos.js'
import type PrismaTypes from '../generated/pothos.js'
import { missingScope } from './missing-scope.js'
import { DateTime, JSONObject, readIdsExactly } from './scalars.js'
import type { JsonObject } from '../domain/json.js'
import type { Scope } from '../domain/scopes.js'
import { storedColumns } from './stored-columns.js'

/** Pothos's schema builder, with its plugins, scalars and defaults. The types are declared by the modules, e.g. in assessments/schema.ts. */
export const builder = new SchemaBuilder<{
  Context: Context
  PrismaTypes: PrismaTypes
  AuthScopes: { scope: Scope }
  DefaultFieldNullability: false
  Connection: { totalCount(): Promise<number> }
  DefaultEdgesNullability: { list: false; items: false }
  DefaultNodeNullability: false
  Scalars: {
    ID: { Input: string; Output: string }
    DateTime: { Input: Date; Output: Date }
    JSONObject: { Input: JsonObject; Output: JsonObject }
  }
}>({
  defaultFieldNullability: false,
  // A plugin wraps the resolvers of those after it: first the scopes are checked, then storedColumns looks whether the row already has
  // the field, and only then Prisma reads it.
  plugins: [ScopeAuthPlugin, RelayPlugin, storedColumns, PrismaPlugin, DirectivesPlugin, FederationPlugin],
  prisma: {
    client: (context) => context.store,
    dmmf: getDatamodel(),
  },
  scopeAuth: {
    authorizeOnSubscribe: true,
    authScopes: ({ viewer }) => ({
      scope(scope) {
        if (viewer.scopes.has(scope)) return true
        throw missingScope(scope)
      },
    }),
  },
  relay: {
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    nodesOnConnection: { description: 'The items of the page, without their cursors.' },
    edgesFieldOptions: { description: 'The items of the page, each with its cursor.', nullable: { list: false, items: false } },
    nodeFieldOptions: { description: 'The item.', nullable: false },
    cursorFieldOptions: { description: 'Where the item stands in its list, for `after` and `before`. Opaque.' },
    pageInfoFieldOptions: { description: 'Whether there is more, and where to go on.' },
    pageInfoTypeOptions: { description: 'Where a page stands in its list.', shareable: true },
    hasNextPageFieldOptions: { description: 'Whether items follow the page; asked with `last`, whether `before` was given.' },
    hasPreviousPageFieldOptions: { description: 'Whether items precede the page; asked with `first`, whether `after` was given.' },
    startCursorFieldOptions: { description: 'Cursor of the first item; null on an empty page.' },
    endCursorFieldOptions: { description: 'Cursor of the last item; null on an empty page.' },
    firstArgOptions: { description: 'How many items from the start: 0 to 100; 20 when neither first nor last is given.' },
    lastArgOptions: { description: 'How many items from the end: 0 to 100. Not together with first.' },
    afterArgOptions: { description: 'Only items behind this cursor, which must come from the same list, order and filter.' },
    beforeArgOptions: { description: 'Only items before this cursor, which must come from the same list, order and filter.' },
  },
})

builder.queryType({ description: 'Everything that can be read. What belongs to another organisation is as if it did not exist.' })
builder.mutationType({
  description:
    'Everything that can be written. A failure that a client can act on is a member of the result union; the result is null only beside an error in `errors`.',
})
builder.subscriptionType({
  description: 'Changes as they happen, over server-sent events: send the subscription with `Accept: text/event-stream`. A credential and an organisation may have so many open at a time: one more is refused with code LIMIT_EXCEEDED.',
})
readIdsExactly()
builder.addScalarType('DateTime', DateTime)
builder.addScalarType('JSONObject', JSONObject)
builder.globalConnectionField('totalCount', (t) =>
  t.int({
    description: 'How many items the whole list has. Counted only when asked for.',
    resolve: (connection) => connection.totalCount(),
  }),
)
