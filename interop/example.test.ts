import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { withKey } from './supergraph.js'
import { federationPage } from './federation-page.js'

const script = new URL('example/supergraph.js', import.meta.url)

const supergraph = spawn(process.execPath, [fileURLToPath(script)], {
  env: { PATH: process.env['PATH'] ?? '', KEY: inject('credentials').key, GATEWAY: inject('gatewayUrl'), PORT: '0', RATINGS_PORT: '0' },
  stdio: ['ignore', 'pipe', 'inherit'],
})
const exited = once(supergraph, 'exit')
let url: string | undefined

beforeAll(async () => {
  for await (const line of createInterface(supergraph.stdout)) {
    url = /^supergraph {2}(\S+)$/.exec(line)?.[1]
    if (url) break
  }
  supergraph.stdout.resume()
})
afterAll(async () => {
  supergraph.kill()
  await exited
})

test('docs/federation.md shows the script as it is', async () => {
  expect(federationPage.script).toBe(await readFile(script, 'utf8'))
})

test('that script answers the query of docs/federation.md as that says', async () => {
  if (!url) throw new Error('The script has ended before it served anything.')
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...withKey }, body: federationPage.request })
  expect(await response.json()).toEqual(JSON.parse(federationPage.answer))
})
