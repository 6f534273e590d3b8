// Prints the SQL that would bring the committed migrations to prisma/schema.prisma: nothing when
// they agree. `npm run check` fails on any output, and a new migration starts from it.
import { readFile } from 'node:fs/promises'
import { PGlite } from '@electric-sql/pglite'
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm'
import { PrismaPGlite } from 'pglite-prisma-adapter'
import { committedMigrations, openSchemaEngine, prismaDirectory, schemaFilter } from '../src/database/migrations.js'

const database = new PGlite({ extensions: { pg_trgm } })
const adapter = new PrismaPGlite(database)
const content = await readFile(new URL('schema.prisma', prismaDirectory), 'utf8')
const engine = await openSchemaEngine(
  {
    provider: 'postgres',
    adapterName: adapter.adapterName,
    connect: () => adapter.connect(),
    // The empty database itself is the shadow database that the migrations run in.
    connectToShadowDb: () => adapter.connect(),
  },
  [['schema.prisma', content]],
)
const { stdout } = await engine.diff({
  from: { tag: 'migrations', ...(await committedMigrations()) },
  to: { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content }] },
  script: true,
  exitCode: null,
  filters: schemaFilter,
})
await database.close()
if (stdout && !stdout.includes('This is an empty migration')) {
  process.stdout.write(stdout)
  process.exitCode = 1
}
