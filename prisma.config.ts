import { defineConfig } from 'prisma-cli/config'

// `prisma generate` needs no schema engine but refuses to run without the path of one, and would
// download it. Any existing file satisfies it; every other command keeps the real engine.
if (process.argv.includes('generate')) process.env['PRISMA_SCHEMA_ENGINE_BINARY'] ??= process.execPath

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  ...(process.env['DATABASE_URL'] && { datasource: { url: process.env['DATABASE_URL'] } }),
})
