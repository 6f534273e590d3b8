// Whoever asks for no metrics and no traces pays for none: seen from the modules that a real process loads, and its sockets.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { ownDirectory, seededDirectory, startGateway } from '../gateway-process.js'

const coverage = z.object({ result: z.array(z.object({ url: z.string() })) })

/** Answers a request, stops, and tells on how many ports the process listened and which of these packages it had loaded. */
async function run(env: Record<string, string>): Promise<{ ports: number; packages: string[] }> {
  const directory = await ownDirectory()
  const report = `process.on('SIGUSR2', () => process.stdout.write('ports ' + process.getActiveResourcesInfo().filter((it) => it === 'TCPServerWrap').length + '\\n'))`
  const gateway = await startGateway({
    DATA_DIR: await seededDirectory(),
    // V8 writes down every script that it has run.
    NODE_V8_COVERAGE: directory,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(report)}`,
    ...env,
  }).listening()
  expect((await gateway.ask(gateway.keys[0] ?? '', '{ viewer { scopes } }')).errors).toBeUndefined()
  gateway.child.kill('SIGUSR2')
  await gateway.until(() => gateway.stdout.includes('ports '))
  expect(await gateway.stop()).toBe(0)
  const files = await readdir(directory)
  const scripts = await Promise.all(
    files.map(async (file) => coverage.parse(JSON.parse(await readFile(join(directory, file), 'utf8'))).result),
  )
  const urls = scripts.flat().map(({ url }) => url)
  expect(urls.some((url) => url.includes('/node_modules/graphql-yoga/'))).toBe(true)
  const loaded = urls.flatMap((url) => /\/node_modules\/(@opentelemetry(?=\/)|prom-client(?=\/))/.exec(url)?.[1] ?? [])
  return { ports: Number(/^ports (\d+)$/m.exec(gateway.stdout)?.[1]), packages: [...new Set(loaded)].sort() }
}

test('without settings nothing of it is loaded, and nothing but GraphQL listens', async () => {
  expect(await run({})).toEqual({ ports: 1, packages: [] })
})

test('with them it is', async () => {
  const env = { METRICS_PORT: '0', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }
  expect(await run(env)).toEqual({ ports: 2, packages: ['@opentelemetry', 'prom-client'] })
})
