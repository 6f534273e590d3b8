// What pages of other sites can make a browser send, and read.
import { describe, expect, test } from 'vitest'
import { createServer } from '../../../src/server/server.js'
import { dependencies } from '../../gateway.js'
import { anOrganisation } from '../../story.js'

const url = 'http://gateway.test/graphql'
const closed = createServer(dependencies)
const open = createServer({ ...dependencies, corsOrigins: ['https://app.test', 'https://admin.test'] })

function ask(gateway: typeof closed, origin: string) {
  return gateway.fetch(url, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type,apikey' },
  })
}

async function send(gateway: typeof closed, origin: string) {
  const { key } = await anOrganisation()
  const headers = { apikey: key, origin, 'content-type': 'application/json' }
  return gateway.fetch(url, { method: 'POST', headers, body: JSON.stringify({ query: '{ viewer { scopes } }' }) })
}

describe('a page of another site', () => {
  test('may read nothing unless its origin is allowed', async () => {
    for (const response of [await ask(closed, 'https://app.test'), await send(closed, 'https://app.test')]) {
      expect(response.headers.get('access-control-allow-origin')).toBeNull()
    }
    for (const response of [await ask(open, 'https://evil.test'), await send(open, 'https://evil.test')]) {
      expect(response.headers.get('access-control-allow-origin')).not.toBe('https://evil.test')
      expect(response.headers.get('access-control-allow-origin')).not.toBe('*')
    }
  })

  test('of an allowed origin is asked first, needs no credential for that, and may read the answer', async () => {
    const asked = await ask(open, 'https://app.test')
    expect(asked.status).toBe(204)
    expect(asked.headers.get('access-control-allow-origin')).toBe('https://app.test')
    expect(asked.headers.get('access-control-allow-headers')).toContain('apikey')
    expect(asked.headers.get('access-control-allow-credentials')).toBeNull()
    const response = await send(open, 'https://admin.test')
    expect(response.status).toBe(200)
    expect(response.headers.get('access-control-allow-origin')).toBe('https://admin.test')
    expect(response.headers.get('vary')).toContain('Origin')
  })
})

test.each(['/graphql', '/health', '/nowhere'])('an answer at %s is nobody else’s to keep or to guess the type of', async (path) => {
  const { headers } = await closed.fetch(`http://gateway.test${path}`)
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.get('x-powered-by')).toBeNull()
})

test('GraphiQL’s page is shown in no frame and runs nobody else’s script', async () => {
  const { headers } = await closed.fetch(url, { headers: { accept: 'text/html' } })
  const policy = headers.get('content-security-policy')
  expect(policy).toContain("frame-ancestors 'none'")
  expect(policy).toMatch(/script-src 'nonce-[^']+'/)
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('referrer-policy')).toBe('no-referrer')
})

test('a preflight is told to observers when it comes and when it is answered', async () => {
  const heard: string[] = []
  const observers = [{ received: () => void heard.push('received'), answered: () => void heard.push('answered') }]
  await ask(createServer({ ...dependencies, observers, corsOrigins: ['https://app.test'] }), 'https://app.test')
  expect(heard).toEqual(['received', 'answered'])
})
