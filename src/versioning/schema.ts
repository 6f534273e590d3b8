import { builder } from '../graphql/builder.js'
import { ErrorInterface } from '../graphql/errors.js'
import type { Revision as RevisionRow } from '../generated/prisma/client.js'
import { ConflictError, type VersionedRow } from '../domain/failures.js'
import { historyPage } from './history.js'
import { selecting } from '../graphql/stored-columns.js'
import { changedPaths, kindOf, RevisionLoaders } from './revisions.js'

const Revision = builder.objectRef<RevisionRow>('Revision').implement({
  shareable: true,
  description: 'What one write changed. Every version has exactly one.',
  fields: (t) => ({
    version: t.exposeInt('version', { description: 'The version that the write made.' }),
    changedPaths: t.exposeStringList('changedPaths', {
      description: 'The fields that the write changed; in version 1 all that were set. Empty when nothing differed.',
    }),
    actor: t.exposeString('actor', {
      description: 'Who wrote: `user:<subject>`, `key:<id>` or `session:<id>`; `system:<command>` for a command of the gateway itself.',
    }),
    requestId: t.exposeString('requestId', {
      nullable: true,
      description: 'The request that wrote, as its answer and the log name it in X-Request-Id; null for a command of the gateway itself.',
    }),
    changedAt: t.expose('changedAt', { type: 'DateTime', description: 'When, by the database’s clock.' }),
  }),
})

// Shareable, because another subgraph that declares ConflictError, which is shareable, also declares the types that `current` leads to.
const RevisionConnection = builder.connectionObject(
  { type: Revision, name: 'RevisionConnection', shareable: true, description: 'A page of revisions, newest first.' },
  { name: 'RevisionEdge', shareable: true, description: 'A revision in its list.' },
)

export const Versioned = builder.interfaceRef<VersionedRow>('Versioned').implement({
  description: 'What changes under optimistic locking: every change adds 1 to the version and leaves a revision.',
  resolveType: kindOf,
  fields: (t) => ({
    id: t.exposeID('id', { description: 'UUID.' }),
    version: t.exposeInt('version', { description: '1 when created, and 1 more with every change. Send it as expectedVersion.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', extensions: selecting('createdAt'), description: 'When it was created.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', extensions: selecting('updatedAt'), description: 'When it last changed.' }),
    history: t.connection(
      {
        type: Revision,
        description: 'What each write changed and who wrote it, newest first.',
        resolve: (row, args, { loaders }) =>
          historyPage(row, args, (range) => loaders.of(RevisionLoaders).ranges.load({ kind: kindOf(row), id: row.id, ...range })),
      },
      RevisionConnection,
    ),
  }),
})

export const ConflictErrorType = builder.objectType(ConflictError, {
  name: 'ConflictError',
  shareable: true,
  description:
    'The row has another version than the client expected; nothing was changed. Merge with `current` and send its version as the next expectedVersion.',
  interfaces: [ErrorInterface],
  isTypeOf: (value) => value instanceof ConflictError,
  fields: (t) => ({
    expectedVersion: t.exposeInt('expectedVersion', { description: 'The version that the client sent.' }),
    actualVersion: t.exposeInt('actualVersion', { description: 'The version of `current`; 0 when there is no row.' }),
    current: t.expose('current', { type: Versioned, description: 'The row as it is now, from the same read as actualVersion.' }),
    changedPaths: t.stringList({
      description:
        'The fields changed since expectedVersion, e.g. `name` or `sections.0.questions.3.answer`; empty when expectedVersion is above the actual one.',
      resolve: (error, _args, { loaders }) => changedPaths(error, loaders.of(RevisionLoaders)),
    }),
  }),
})
