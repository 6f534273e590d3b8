import { defineConfig } from 'prisma/config'

// Generating a client needs no schema engine but refuses to run without the path of one, and would
// download it. Any existing file satisfies it.
process.env['PRISMA_SCHEMA_ENGINE_BINARY'] ??= process.execPath

export default defineConfig({ schema: 'generated/schema.prisma' })
