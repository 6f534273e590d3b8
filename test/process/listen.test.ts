// Where a server says that it listens.
import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { listen } from '../../src/process/listen.js'
import { StartError } from '../../src/process/start-error.js'

test.each([
  ['127.0.0.1', /^http:\/\/127\.0\.0\.1:\d+$/],
  ['::1', /^http:\/\/\[::1\]:\d+$/],
])('on %s it is an address that can be opened', async (host, origin) => {
  const server = createServer((_, response) => response.end('here'))
  const told = await listen(server, host, 0).catch((error: unknown) => error)
  // Not every machine has IPv6.
  if (host === '::1' && told instanceof StartError && /EADDRNOTAVAIL|EAFNOSUPPORT/.test(told.message)) return
  expect(told).toMatch(origin)
  expect(await (await fetch(String(told))).text()).toBe('here')
  server.close()
})
