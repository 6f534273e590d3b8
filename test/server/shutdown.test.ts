// What SIGTERM does to each kind of connection, seen from the other end of a real socket.
import { once } from 'node:events'
import { Agent, type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { json, text } from 'node:stream/consumers'
import { SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { type GatewayProcess, seededDirectory, startGateway } from '../gateway-process.js'

/** A POST of which nothing but the head is sent; its connection would be kept. */
function begin(gateway: GatewayProcess, headers: Record<string, string | string[]>): { request: ClientRequest; response: Promise<IncomingMessage> } {
  const request = httpRequest(gateway.url, { method: 'POST', agent: new Agent({ keepAlive: true }) })
  request.setHeader('content-type', 'application/json')
  for (const [name, value] of Object.entries(headers)) request.setHeader(name, value)
  return { request, response: new Promise((resolve, reject) => request.once('response', resolve).once('error', reject)) }
}

const stopping = (gateway: GatewayProcess) => gateway.until(() => gateway.stderr.includes('stopping'))

test('a request in flight is answered, and its connection closed instead of kept', async () => {
  const gateway = await startGateway({ DATA_DIR: await seededDirectory() }).listening()
  const { request, response } = begin(gateway, { apikey: gateway.keys[0] ?? '', expect: '100-continue' })
  request.flushHeaders()
  // The gateway has the head, and waits for the body.
  await once(request, 'continue')
  gateway.child.kill('SIGTERM')
  await stopping(gateway)
  request.end(JSON.stringify({ query: '{ viewer { scopes } }' }))
  const { statusCode, headers } = await response
  expect({ statusCode, connection: headers.connection }).toEqual({ statusCode: 200, connection: 'close' })
  expect(await json(await response)).toMatchObject({ data: { viewer: {} } })
  expect(await gateway.exit).toBe(0)
})

test('a request that never ends is cut off after SHUTDOWN_TIMEOUT_MS', async () => {
  const gateway = await startGateway({ DATA_DIR: await seededDirectory(), SHUTDOWN_TIMEOUT_MS: '100' }).listening()
  const { request, response } = begin(gateway, { apikey: gateway.keys[0] ?? '', expect: '100-continue' })
  request.flushHeaders()
  await once(request, 'continue')
  const failed = expect(response).rejects.toThrow('socket hang up')
  expect(await gateway.stop()).toBe(0)
  await failed
})

test('a subscription is ended, long before SHUTDOWN_TIMEOUT_MS', async () => {
  const gateway = await startGateway({ DATA_DIR: await seededDirectory(), SHUTDOWN_TIMEOUT_MS: '600000' }).listening()
  const [key = ''] = gateway.keys
  const found = z.object({ assessments: z.object({ nodes: z.tuple([z.object({ id: z.string() })]) }) })
  const { assessments } = await gateway.dataOf(found, key, '{ assessments(first: 1) { nodes { id } } }')
  const { request, response } = begin(gateway, { apikey: key, accept: 'text/event-stream' })
  const query = 'subscription ($id: ID!) { assessmentChanged(id: $id) { version } }'
  request.end(JSON.stringify({ query, variables: { id: assessments.nodes[0].id } }))
  const { headers } = await response
  expect(headers['content-type']).toMatch(/^text\/event-stream/)
  // nginx would keep events back until there are many.
  expect(headers['x-accel-buffering']).toBe('no')
  gateway.child.kill('SIGTERM')
  await text(await response)
  expect(await gateway.exit).toBe(0)
})

test('a subscription is ended that another request waits behind, which is answered', async () => {
  const gateway = await startGateway({ DATA_DIR: await seededDirectory(), SHUTDOWN_TIMEOUT_MS: '600000' }).listening()
  const [key = ''] = gateway.keys
  const found = z.object({ assessments: z.object({ nodes: z.tuple([z.object({ id: z.string() })]) }) })
  const { assessments } = await gateway.dataOf(found, key, '{ assessments(first: 1) { nodes { id } } }')
  const { hostname, port } = new URL(gateway.url)
  const socket = connect(Number(port), hostname).setEncoding('utf8')
  const send = (requestId: string, accept: string, query: string) => {
    const body = JSON.stringify({ query })
    socket.write(`POST /graphql HTTP/1.1\r\nhost: localhost\r\nx-request-id: ${requestId}\r\napikey: ${key}\r\naccept: ${accept}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
  }
  let received = ''
  socket.on('data', (data: string) => (received += data))
  send('before', 'text/event-stream', `subscription { assessmentChanged(id: "${assessments.nodes[0].id}") { version } }`)
  await expect.poll(() => received).toContain('text/event-stream')
  send('behind', 'application/json', '{ viewer { scopes } }')
  await gateway.until(() => gateway.stderr.includes('"requestId":"behind"'))
  gateway.child.kill('SIGTERM')
  expect(await gateway.exit).toBe(0)
  expect(received).toContain('"scopes"')
})

test('two Authorization headers are refused like any two credentials, although each alone is good', async () => {
  const secret = 'a shared secret of more than 32 characters'
  const jwt = { JWT_ISSUER: 'https://issuer.test/', JWT_AUDIENCE: 'gateway', JWT_ALGORITHMS: 'HS256', JWT_SECRET: secret }
  const gateway = await startGateway({ DATA_DIR: await seededDirectory(), ...jwt }).listening()
  const viewer = z.object({ viewer: z.object({ organisation: z.object({ id: z.string() }) }) })
  const data = await gateway.dataOf(viewer, gateway.keys[0] ?? '', '{ viewer { organisation { id } } }')
  const token = await new SignJWT({ organisation_id: data.viewer.organisation.id, sub: 'ada' })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(jwt.JWT_ISSUER)
    .setAudience(jwt.JWT_AUDIENCE)
    .setExpirationTime('5m')
    .sign(new TextEncoder().encode(secret))
  const statusOf = async (authorization: string | string[]) => {
    const { request, response } = begin(gateway, { authorization })
    request.end(JSON.stringify({ query: '{ viewer { scopes } }' }))
    const { statusCode } = await response
    await text(await response)
    return statusCode
  }
  expect(await statusOf(`Bearer ${token}`)).toBe(200)
  expect(await statusOf([`Bearer ${token}`, `Bearer ${token}`])).toBe(401)
  expect(await statusOf([`Bearer ${token}`, 'Bearer other'])).toBe(401)
})

test('for SHUTDOWN_DELAY_MS requests are answered while /ready is 503, and a second signal ends that', async () => {
  const gateway = await startGateway({ DATA_DIR: await seededDirectory(), SHUTDOWN_DELAY_MS: '600000', KEEP_ALIVE_TIMEOUT_MS: '61000' }).listening()
  const ready = async () => (await fetch(new URL('/ready', gateway.url))).status
  expect(await ready()).toBe(200)
  gateway.child.kill('SIGTERM')
  await stopping(gateway)
  expect(await ready()).toBe(503)
  const answer = await fetch(new URL('/health', gateway.url))
  expect({ status: answer.status, kept: answer.headers.get('keep-alive') }).toEqual({ status: 200, kept: 'timeout=61' })
  expect((await gateway.ask(gateway.keys[0] ?? '', '{ viewer { scopes } }')).errors).toBeUndefined()
  expect(await gateway.stop()).toBe(0)
})

test('a developer’s Ctrl-C waits for nothing', async () => {
  const gateway = await startGateway({ DATA_DIR: await seededDirectory(), SHUTDOWN_DELAY_MS: '600000' }).listening()
  gateway.child.kill('SIGINT')
  expect(await gateway.exit).toBe(0)
})
