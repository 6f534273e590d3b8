import { builder } from '../builder.js'
import type { Revision as RevisionRow } from '../generated/prisma/client.js'
import type { VersionedRow } from './failures.js'
import { historyPage } from './history.js'
import { selecting } from '../stored-columns.js'
import { kindOf } from './versioned.js'

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

// Another subgraph that repeats ConflictError repeats what its `current` reaches as well.
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
          historyPage(row, args, (range) => loaders.revisions.load({ kind: kindOf(row), id: row.id, ...range })),
      },
      RevisionConnection,
    ),
  }),
})
