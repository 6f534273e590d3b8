import { createRequire } from 'node:module'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  // Node loads one copy of graphql, its CommonJS one; without this the sources would get another one here.
  resolve: { alias: [{ find: /^graphql$/, replacement: createRequire(import.meta.url).resolve('graphql') }] },
  test: {
    include: ['*.test.ts'],
    globalSetup: ['setup.ts'],
    pool: 'forks',
    // Apollo's gateway would tell its makers about this machine.
    env: { APOLLO_TELEMETRY_DISABLED: 'true' },
    // All files write through one gateway, and tell the versions that they expect.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
