import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup/database.ts'],
    // Every test makes its own organisation, so that all can share one process and one database.
    isolate: false,
    pool: 'forks',
    // The embedded database has a single connection.
    maxWorkers: process.env['DATABASE_URL'] ? 2 : 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
