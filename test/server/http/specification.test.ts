import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import { serverAudits } from 'graphql-http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { gateway } from '../../gateway.js'
import { anOrganisation } from '../../story.js'

let server: Server
let url = ''
let key = ''

beforeAll(async () => {
  key = (await anOrganisation()).key
  server = createServer(gateway.listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address === 'object' && address) url = `http://127.0.0.1:${address.port}/graphql`
})
afterAll(() => server.close())

const audits = serverAudits({
  url: () => url,
  fetchFn: (input: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers)
    headers.set('apikey', key)
    // A GET has to show that no page of another site sent it.
    headers.set('apollo-require-preflight', 'true')
    return fetch(input, { ...init, headers })
  },
})

test.each(audits.map((audit) => [audit.id, audit.name, audit] as const))('GraphQL over HTTP %s: %s', async (_id, _name, audit) => {
  const result = await audit.fn()
  expect(result.status === 'ok' ? 'ok' : `${result.status}: ${result.reason}`).toBe('ok')
})
