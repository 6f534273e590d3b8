// How many subscriptions one credential, one organisation and all together may have open.
import { describe, expect, onTestFinished, test } from 'vitest'
import { LocalChangeSignals } from '../../../src/database/change-signals.js'
import { serveHttp } from '../../../src/server/http/http-server.js'
import { createServer } from '../../../src/server/server.js'
import { subscribe } from '../../event-streams.js'
import { db, dependencies, limits, log } from '../../gateway.js'
import { anOrganisation, type Story } from '../../story.js'

const QUERY = 'subscription ($id: ID!) { assessmentChanged(id: $id) { version } }'

/** A gateway that allows so many subscriptions. */
const serve = (subscriptions: Partial<typeof limits.subscriptions> = {}, changes = new LocalChangeSignals()) =>
  createServer({
    ...dependencies,
    changes,
    limits: { ...limits, subscriptions: { ...limits.subscriptions, ...subscriptions } },
  })

/** An organisation with an assessment, to which it subscribes. */
async function anAudience() {
  const org = await anOrganisation()
  const { id } = await org.assessment()
  return { org, subscribe: (server: ReturnType<typeof serve>, key = org.key) => subscribe(server, key, QUERY, { id }) }
}

const refusal = (limit: string, maximum: number, whose: string) => ({
  errors: [{ message: `At most ${maximum} subscriptions of ${whose} may be open. End another one first.`, extensions: { code: 'LIMIT_EXCEEDED', limit, maximum } }],
})

describe('open subscriptions', () => {
  test('of one credential are a hundred, and one more when one has ended', async () => {
    const server = serve()
    const audience = await anAudience()
    const open = []
    for (let count = 0; count < 100; count += 1) open.push(await audience.subscribe(server))
    expect(open.map(({ status }) => status)).toEqual(open.map(() => 200))
    const refused = await audience.subscribe(server)
    expect(refused.status).toBe(429)
    expect(await refused.next()).toMatchObject(refusal('subscriptionsPerCredential', 100, 'one credential'))
    // Another credential of the same organisation has its own.
    expect((await audience.subscribe(server, await audience.org.keyWith(['ASSESSMENTS_READ']))).status).toBe(200)
    await open[0]?.leave()
    await expect.poll(async () => (await audience.subscribe(server)).status).toBe(200)
    expect((await audience.subscribe(server)).status).toBe(429)
  })

  test('of one organisation are its share', async () => {
    const server = serve({ inAll: 4, organisationShare: 0.5 })
    const [one, other] = [await anAudience(), await anAudience()]
    const another = await one.org.keyWith(['ASSESSMENTS_READ'])
    expect([(await one.subscribe(server)).status, (await one.subscribe(server, another)).status]).toEqual([200, 200])
    for (const key of [one.org.key, another]) {
      const refused = await one.subscribe(server, key)
      expect(refused.status).toBe(429)
      expect(await refused.next()).toMatchObject(refusal('subscriptionsPerOrganisation', 2, 'one organisation'))
    }
    expect((await other.subscribe(server)).status).toBe(200)
  })

  test('of all together are as many as the process may have', async () => {
    const server = serve({ inAll: 3, organisationShare: 1 })
    const [one, other] = [await anAudience(), await anAudience()]
    for (const { subscribe } of [one, other, one]) expect((await subscribe(server)).status).toBe(200)
    const refused = await other.subscribe(server)
    expect(refused.status).toBe(429)
    expect(await refused.next()).toMatchObject(refusal('subscriptions', 3, 'all clients of this process'))
  })
})

describe('the place of a subscription is free', () => {
  const ends: Record<string, (server: ReturnType<typeof serve>, story: Story, id: string) => Promise<void>> = {
    'when its client leaves': async (server, { key }, id) => (await subscribe(server, key, QUERY, { id })).leave(),
    'when there is no such row': async (server, { key }) => {
      const stream = await subscribe(server, key, QUERY, { id: 'none' })
      expect(await stream.next()).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] })
      expect(await stream.next()).toBeNull()
    },
    'when its key is revoked': async (server, story, id) => {
      const stream = await subscribe(server, story.key, QUERY, { id })
      await db.apiKey.updateMany({ where: { organisationId: story.id }, data: { revokedAt: new Date() } })
      expect(await stream.next()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] })
      expect(await stream.next()).toBeNull()
      await db.apiKey.updateMany({ where: { organisationId: story.id }, data: { revokedAt: null } })
    },
  }

  test.each(Object.entries(ends))('%s', async (_, end) => {
    const server = serve({ perCredential: 1 }, new LocalChangeSignals(20))
    const org = await anOrganisation()
    const { id } = await org.assessment()
    await end(server, org, id)
    await expect.poll(async () => (await subscribe(server, org.key, QUERY, { id })).status).toBe(200)
    expect((await subscribe(server, org.key, QUERY, { id })).status).toBe(429)
  })

  test('when its connection ends, and when the server stops', async () => {
    const gateway = serve({ perCredential: 1 })
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const listen = async () => {
      const server = await serveHttp(gateway.listener, log, { host: '127.0.0.1', port: 0, maximumConnections: 10, keepAliveTimeoutMs: 75_000, sendTimeoutMs: 60_000, shutdownTimeoutMs: 1_000 })
      const over = (signal: AbortSignal) =>
        fetch(`${server.origin}/graphql`, {
          method: 'POST',
          signal,
          headers: { apikey: org.key, 'content-type': 'application/json', accept: 'text/event-stream' },
          body: JSON.stringify({ query: QUERY, variables: { id } }),
        })
      return { over, close: () => server.close() }
    }
    const never = new AbortController().signal
    const first = await listen()
    const leaving = new AbortController()
    expect((await first.over(leaving.signal)).status).toBe(200)
    expect((await first.over(never)).status).toBe(429)
    leaving.abort()
    await expect.poll(async () => (await first.over(never)).status).toBe(200)
    await first.close()
    const second = await listen()
    onTestFinished(second.close)
    expect((await second.over(never)).status).toBe(200)
  })
})
