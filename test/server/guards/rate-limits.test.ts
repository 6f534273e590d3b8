// How many requests a credential and an address may send, in one process and in several.
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'
import type { RateLimitSettings } from '../../../src/server/guards/rate-limits.js'
import { createServer } from '../../../src/server/server.js'
import { dependencies, limits, statementsOf } from '../../gateway.js'
import { anOrganisation, type Story } from '../../story.js'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

function gatewayWith(rate: Partial<RateLimitSettings>) {
  const gateway = createServer({ ...dependencies, limits: { ...limits, rate: { ...limits.rate, ...rate } } })
  cleanUps.push(() => gateway.dispose())
  return gateway
}

const query = { method: 'POST', body: JSON.stringify({ query: '{ viewer { scopes } }' }) }
const headersOf = ({ key }: Story) => ({ apikey: key, 'content-type': 'application/json' })

/** The statuses of so many requests sent at once. */
async function statuses(count: number, send: () => Promise<Response>): Promise<Record<number, number>> {
  const answers = await Promise.all(Array.from({ length: count }, send))
  const counted: Record<number, number> = {}
  for (const { status } of answers) counted[status] = (counted[status] ?? 0) + 1
  return counted
}

async function urlOf(gateway: ReturnType<typeof gatewayWith>): Promise<string> {
  const server = createHttpServer(gateway.listener).listen(0, '127.0.0.1')
  cleanUps.push(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address ? `http://127.0.0.1:${address.port}/graphql` : ''
}

test('a credential that sends more in a second is answered 429 with Retry-After, and others are not', async () => {
  const [busy, other] = [await anOrganisation(), await anOrganisation()]
  const gateway = gatewayWith({ perCredential: 5 })
  const send = async () => gateway.fetch('http://gateway.test/graphql', { ...query, headers: headersOf(busy) })
  expect(await statuses(8, send)).toEqual({ 200: 5, 429: 3 })
  const refused = await send()
  expect(refused.headers.get('retry-after')).toBe('1')
  expect(await refused.json()).toMatchObject({ errors: [{ extensions: { code: 'TOO_MANY_REQUESTS' } }] })
  expect((await gateway.fetch('http://gateway.test/graphql', { ...query, headers: headersOf(other) })).status).toBe(200)
  await expect.poll(async () => (await send()).status, { timeout: 10_000 }).toBe(200)
})

test('by default, a credential may send a burst of 1,000', async () => {
  const org = await anOrganisation()
  const gateway = gatewayWith({})
  // They come to no operation, so that all of them fit into the second that is counted.
  const send = async () => gateway.fetch('http://gateway.test/graphql', { method: 'POST', body: '', headers: { apikey: org.key, 'content-type': 'text/plain' } })
  expect(await statuses(1_000, send)).toEqual({ 415: 1_000 })
})

test('an address that sends more is refused before its credential is looked up', async () => {
  const url = await urlOf(gatewayWith({ perAddress: 3 }))
  const bad = () => fetch(url, { ...query, headers: { apikey: randomUUID(), 'content-type': 'application/json' } })
  const looked = await statementsOf(async () => expect(await statuses(10, bad)).toEqual({ 401: 3, 429: 7 }))
  expect(looked.length).toBeLessThanOrEqual(3)
})

test('behind a proxy the address is the one that the proxy saw, whatever the client claims', async () => {
  const url = await urlOf(gatewayWith({ perAddress: 3, trustedProxies: 1 }))
  const from = (forwarded: string) => () =>
    fetch(url, { ...query, headers: { 'x-forwarded-for': forwarded, 'content-type': 'application/json' } })
  let claimed = 0
  expect(await statuses(5, () => from(`10.0.0.${(claimed += 1)}, 192.0.2.1`)())).toEqual({ 401: 3, 429: 2 })
  expect(await statuses(1, from('192.0.2.2'))).toEqual({ 401: 1 })
})

const REDIS = 'redis://127.0.0.1:6379'
const redis = new Redis(REDIS, { lazyConnect: true, retryStrategy: null })
redis.on('error', () => {})
const hasRedis = await redis.connect().then(
  () => true,
  () => false,
)
redis.disconnect()

test.runIf(hasRedis)('several gateways with one Redis count together', async () => {
  const rate = { perCredential: 5, redisUrl: REDIS }
  const gateways = [gatewayWith(rate), gatewayWith(rate)]
  // Until both are connected they count alone, which lets 10 of a new credential's 12 requests through.
  const together = async () => {
    const org = await anOrganisation()
    let sent = 0
    const counted = await statuses(12, async () => {
      const gateway = gateways[(sent += 1) % 2]
      return (await gateway?.fetch('http://gateway.test/graphql', { ...query, headers: headersOf(org) })) ?? Response.error()
    })
    return counted[200]
  }
  await expect.poll(together, { timeout: 20_000 }).toBe(5)
})

test('a gateway whose Redis is away counts for itself', async () => {
  const org = await anOrganisation()
  const gateway = gatewayWith({ perCredential: 5, redisUrl: 'redis://127.0.0.1:1' })
  expect(await statuses(8, async () => gateway.fetch('http://gateway.test/graphql', { ...query, headers: headersOf(org) }))).toEqual({ 200: 5, 429: 3 })
})
