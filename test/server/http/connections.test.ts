// Clients that do not read their answers, or send slowly, or too much at once: they are disconnected, and others are served.
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { createYoga } from 'graphql-yoga'
import pino from 'pino'
import { describe, expect, onTestFinished, test } from 'vitest'
import { LocalChangeSignals } from '../../../src/database/change-signals.js'
import { door } from '../../../src/process/door.js'
import { Connections, MAXIMUM_UNANSWERED } from '../../../src/server/http/connections.js'
import { send } from '../../../src/server/http/http-response.js'
import { type HttpServerOptions, RECEIVE_TIMEOUTS, serveHttp } from '../../../src/server/http/http-server.js'
import { schema } from '../../../src/server/schema.js'
import { createServer } from '../../../src/server/server.js'
import { dependencies, gateway } from '../../gateway.js'
import { connectTo, readToEnd, talk } from '../../sockets.js'
import { anOrganisation } from '../../story.js'

const lines: string[] = []
const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })

const GET = (path: string) => `GET ${path} HTTP/1.1\r\nhost: gateway\r\n\r\n`
/** More than the system keeps for a connection. */
const LARGE = 'x'.repeat(32_000_000)
const FOREVER = 3_600_000

const options = { host: '127.0.0.1', port: 0, maximumConnections: 100, keepAliveTimeoutMs: 75_000, sendTimeoutMs: FOREVER, shutdownTimeoutMs: FOREVER }

async function serve(answer: (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>, changed: Partial<HttpServerOptions> = {}, receive = RECEIVE_TIMEOUTS) {
  lines.length = 0
  const server = await serveHttp(door(log, answer), log, { ...options, ...changed }, receive)
  return server
}

/** Answers /health at once and everything else by `answer`, which is also told when the connection of the answer is closed. */
async function serveBesideHealth(answer: (outgoing: ServerResponse) => Promise<void>, changed: Partial<HttpServerOptions>) {
  let tell: (outgoing: ServerResponse) => void
  const closed = new Promise<ServerResponse>((resolve) => (tell = resolve))
  const server = await serve(async (incoming, outgoing) => {
    if (incoming.url === '/health') return send({ status: 200, headers: {}, body: '' }, outgoing)
    outgoing.once('close', () => tell(outgoing))
    await answer(outgoing)
  }, changed)
  onTestFinished(() => server.close())
  return { url: server.origin, closed }
}

const isServed = async (url: string) => expect((await fetch(`${url}/health`)).status).toBe(200)

describe('a client that does not read', () => {
  test('its answer is disconnected, and others are served before and after', async () => {
    const { url, closed } = await serveBesideHealth((outgoing) => send({ status: 200, headers: {}, body: LARGE }, outgoing), { sendTimeoutMs: 20 })
    const client = await connectTo(url)
    client.write(GET('/large'))
    await isServed(url)
    expect((await closed).writableFinished).toBe(false)
    expect((await readToEnd(client.resume())).length).toBeLessThan(LARGE.length)
    await isServed(url)
    expect(lines).toEqual([expect.stringContaining('does not read')])
  })

  test('its events is disconnected, and their source ended', async () => {
    let ended = () => {}
    const sourceEnded = new Promise<void>((resolve) => (ended = resolve))
    const events = new ReadableStream({ pull: (controller) => controller.enqueue(Buffer.from(`data: ${'x'.repeat(100_000)}\n\n`)), cancel: () => ended() })
    const answer = (outgoing: ServerResponse) => send(new Response(events, { headers: { 'content-type': 'text/event-stream' } }), outgoing)
    const { url, closed } = await serveBesideHealth(answer, { sendTimeoutMs: 20 })
    const client = await connectTo(url)
    client.write(GET('/events'))
    expect((await closed).writableFinished).toBe(false)
    await sourceEnded
    await isServed(url)
  })

  test('but leaves ends the source of its events at once, although no event comes', async () => {
    const { fetchAPI } = createYoga({ schema })
    let ended = () => {}
    const sourceEnded = new Promise<void>((resolve) => (ended = resolve))
    const events = new fetchAPI.ReadableStream({ start: (controller) => controller.enqueue(Buffer.from(':\n\n')), pull: () => new Promise(() => {}), cancel: () => ended() })
    const answer = (outgoing: ServerResponse) => send(new fetchAPI.Response(events, { headers: { 'content-type': 'text/event-stream' } }), outgoing)
    const { url } = await serveBesideHealth(answer, {})
    const client = await connectTo(url)
    client.write(GET('/events'))
    await once(client, 'readable')
    client.destroy()
    await sourceEnded
  })

  test.each([1, 2])('but leaves leaves no subscription behind: %i subscriptions on one connection', async (count) => {
    const changes = new LocalChangeSignals()
    const server = await serve(createServer({ ...dependencies, changes }).listener)
    onTestFinished(() => server.close())
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const body = JSON.stringify({ query: `subscription { assessmentChanged(id: "${id}") { version } }` })
    const client = await connectTo(server.origin)
    client.write(`POST /graphql HTTP/1.1\r\nhost: gateway\r\napikey: ${org.key}\r\naccept: text/event-stream\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`.repeat(count))
    await expect.poll(() => changes.following).toBe(count)
    client.destroy()
    await expect.poll(() => changes.following).toBe(0)
  })

  test('pages takes little of the memory', async () => {
    const server = await serve(gateway.listener)
    onTestFinished(() => server.close())
    const page = 'GET /graphql HTTP/1.1\r\nhost: gateway\r\naccept: text/html\r\n\r\n'
    const { length } = await (await fetch(`${server.origin}/graphql`, { headers: { accept: 'text/html' } })).text()
    const memory = () => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers
    const before = memory()
    const clients = await Promise.all(Array.from({ length: 50 }, () => connectTo(server.origin)))
    for (const client of clients) client.write(page)
    await Promise.all(clients.map((client) => once(client, 'readable')))
    expect(memory() - before).toBeLessThan(length * 15)
  })
})

describe('when the server looks for clients that do not read', () => {
  /** A server whose looks the test makes: the client, its connection there, and how many bytes of it the system has taken. */
  async function connected(answer: (outgoing: ServerResponse) => Promise<void>) {
    const connections = new Connections(log)
    const server = createHttpServer((request, response) => {
      connections.began(request.socket, response)
      void answer(response)
    })
    const opened = new Promise<Socket>((resolve) => server.once('connection', (socket) => {
      connections.opened(socket)
      resolve(socket)
    }))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => void server.close())
    const address = server.address()
    const client = await connectTo(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`)
    client.write(GET('/'))
    const socket = await opened
    const taken = () => socket.bytesWritten - socket.writableLength
    /** Reads so many bytes at least. */
    const read = async (bytes: number) => {
      for (const until = client.bytesRead + bytes; client.bytesRead < until; ) {
        if (client.read() === null) await once(client, 'readable')
      }
    }
    return { connections, client, socket, taken, read }
  }
  /** Waits until the system takes no more. */
  const isStuck = async ({ socket }: { socket: Socket }) => expect.poll(() => socket.writableNeedDrain).toBe(true)
  const large = (outgoing: ServerResponse) => send({ status: 200, headers: {}, body: LARGE }, outgoing)

  test('one that has read a part is left alone, and one that has read next to nothing is not', async () => {
    const one = await connected(large)
    await isStuck(one)
    one.connections.closeSlowReaders()
    for (let look = 0; look < 5; look += 1) {
      const before = one.taken()
      while (one.taken() - before < 65_536) await one.read(100_000)
      one.connections.closeSlowReaders()
    }
    expect(one.socket.destroyed).toBe(false)
    await isStuck(one)
    one.connections.closeSlowReaders()
    await one.read(1)
    one.connections.closeSlowReaders()
    expect(one.socket.destroyed).toBe(true)
  })

  test('one that waits for its answer is left alone, however long', async () => {
    let begin: (outgoing: ServerResponse) => void
    const begun = new Promise<ServerResponse>((resolve) => (begin = resolve))
    const one = await connected((outgoing) => Promise.resolve(begin(outgoing)))
    const outgoing = await begun
    for (let look = 0; look < 5; look += 1) one.connections.closeSlowReaders()
    await send({ status: 200, headers: {}, body: 'late' }, outgoing)
    let received = ''
    one.client.on('data', (data) => (received += String(data)))
    await expect.poll(() => received).toContain('late')
  })
})

describe('requests that a client sends without waiting for answers', () => {
  test('are begun only up to a number, then the connection is closed, and others are served', async () => {
    let begun = 0
    const { url } = await serveBesideHealth(() => {
      begun += 1
      return new Promise(() => {})
    }, {})
    const client = await connectTo(url)
    client.write(GET('/').repeat(500))
    expect(await readToEnd(client)).toBe('')
    expect(begun).toBe(MAXIMUM_UNANSWERED)
    await isServed(url)
    expect(lines).toEqual([expect.stringContaining('too many requests')])
  })

  test('are all answered below that number, and after it when the earlier ones are answered', async () => {
    const { url } = await serveBesideHealth((outgoing) => send({ status: 200, headers: {}, body: 'answer' }, outgoing), {})
    const client = await connectTo(url)
    let received = ''
    client.on('data', (data) => (received += String(data)))
    for (let round = 1; round <= 5; round += 1) {
      client.write(GET('/').repeat(MAXIMUM_UNANSWERED))
      await expect.poll(() => received.split('answer').length - 1).toBe(round * MAXIMUM_UNANSWERED)
    }
  })

  test('are all told when the client leaves, although they wait for an earlier answer', async () => {
    const told: (string | undefined)[] = []
    let begun = 0
    const server = await serve((incoming, outgoing) => {
      begun += 1
      outgoing.once('close', () => told.push(incoming.url))
      return new Promise(() => {})
    })
    onTestFinished(() => server.close())
    const client = await connectTo(server.origin)
    client.write(['/1', '/2', '/3'].map(GET).join(''))
    await expect.poll(() => begun).toBe(3)
    client.destroy()
    await expect.poll(() => told.toSorted()).toEqual(['/1', '/2', '/3'])
  })
})

describe('a client that sends too slowly', () => {
  const soon = { ...RECEIVE_TIMEOUTS, headers: 100, request: 200, check: 10 }
  const head = (key: string) => `POST /graphql HTTP/1.1\r\nhost: gateway\r\napikey: ${key}\r\ncontent-type: application/json\r\n`

  test.each([
    ['nothing', { ...soon, request: FOREVER }, () => ''],
    ['half of the headers', { ...soon, request: FOREVER }, head],
    ['half of the body', soon, (key: string) => `${head(key)}content-length: 100\r\n\r\n{"query":`],
    ['half of a body in chunks', soon, (key: string) => `${head(key)}transfer-encoding: chunked\r\n\r\n9\r\n{"query":\r\n`],
  ])('is told so with 408 and an id of the log, and disconnected: %s', async (_, receive, sent) => {
    const { key } = await anOrganisation()
    const server = await serve(gateway.listener, {}, receive)
    onTestFinished(() => server.close())
    const client = await connectTo(server.origin)
    client.write(sent(key))
    const answer = await readToEnd(client)
    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
    const id = /^x-request-id: (.+)\r$/im.exec(answer)?.[1] ?? 'no id'
    expect(lines.filter((line) => line.includes(id))).toEqual([expect.stringContaining('"status":408')])
    expect(lines.join('')).not.toContain('unexpected')
    await isServed(server.origin)
  })

  test('the rest of a request that is answered already is disconnected without a second answer', async () => {
    const server = await serve(gateway.listener, {}, soon)
    onTestFinished(() => server.close())
    const client = await connectTo(server.origin)
    client.write('POST /graphql HTTP/1.1\r\nhost: gateway\r\ncontent-length: 100\r\n\r\n{"query":')
    expect((await readToEnd(client)).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 401'])
  })
})

test('connections beyond their limit are closed, until another one is', async () => {
  const { url } = await serveBesideHealth(() => Promise.resolve(), { maximumConnections: 2 })
  const [first, second] = [await connectTo(url), await connectTo(url)]
  for (const client of [first, second]) {
    client.write(GET('/health'))
    await once(client, 'readable')
  }
  expect(await readToEnd((await connectTo(url)).resume())).toBe('')
  first.destroy()
  await expect.poll(() => talk(url, GET('/health'))).toContain('200 OK')
})

describe('a long answer', () => {
  // Two bytes, three and four, of which each may stand where it is cut.
  test.each(['ü', '…', '😀', 'x😀'])('arrives whole: of %s', async (text) => {
    const body = text.repeat(200_000)
    const server = await serve((_, outgoing) => send({ status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body }, outgoing))
    onTestFinished(() => server.close())
    expect((await (await fetch(server.origin)).text()) === body).toBe(true)
  })

  test.each<[string, () => Parameters<typeof send>[0]]>([
    ['of a known length', () => ({ status: 200, headers: { 'content-length': String(LARGE.length) }, body: LARGE })],
    ['of Yoga, which is a stream', () => new Response(LARGE, { headers: { 'content-type': 'application/json' } })],
  ])('that is being sent is sent to its end when the server stops, and its connection closed: %s', async (_, answer) => {
    const server = await serve((_, outgoing) => send(answer(), outgoing))
    const client = await connectTo(server.origin)
    client.write(GET('/'))
    await once(client, 'readable')
    const closed = server.close()
    expect((await readToEnd(client.resume())).length).toBeGreaterThan(LARGE.length)
    await closed
  })
})
