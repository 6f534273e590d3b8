// What a port does with requests that are no good, and when what answers them fails.
import fc from 'fast-check'
import pino from 'pino'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Door, door } from '../../src/process/door.js'
import { send } from '../../src/server/http/http-response.js'
import { serveHttp } from '../../src/server/http/http-server.js'
import { createServer } from '../../src/server/server.js'
import { dependencies } from '../gateway.js'
import { connectTo, readToEnd, talk } from '../sockets.js'

const lines: string[] = []
const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })

async function serve(listener: Door): Promise<string> {
  lines.length = 0
  const server = await serveHttp(listener, log, { host: '127.0.0.1', port: 0, maximumConnections: 100, keepAliveTimeoutMs: 75_000, sendTimeoutMs: 60_000, shutdownTimeoutMs: 0 })
  onTestFinished(() => server.close())
  return server.origin
}

const serveGateway = () => serve(createServer({ ...dependencies, log, corsOrigins: ['https://page.test'] }).listener)

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1])
const idOf = (answer: string) => /^x-request-id: (.+)\r$/im.exec(answer)?.[1] ?? 'no id'

describe('the gateway', () => {
  const doors: Record<string, [line: string, headers?: string]> = {
    'the address of GraphQL': ['POST /graphql', 'content-type: application/json\r\ncontent-length: 2\r\n'],
    'the page': ['GET /graphql', 'accept: text/html\r\n'],
    'a preflight request': ['OPTIONS /graphql', 'origin: https://page.test\r\naccess-control-request-method: POST\r\n'],
    '/health': ['GET /health'],
    '/ready': ['GET /ready'],
    'no address of ours': ['GET /elsewhere'],
  }
  const malformed = {
    'half an IPv6 address': 'host: [\r\n',
    'two words': 'host: a b\r\n',
    'a path': 'host: a/b\r\n',
    'a user': 'host: ada@gateway\r\n',
    'no port behind the colon but a word': 'host: gateway:http\r\n',
    'letters outside of ASCII': 'host: \xe9\xff\r\n',
    'two headers': 'host: gateway\r\nhost: other\r\n',
    'no header': '',
  }

  test.each(Object.entries(doors))('answers a malformed Host header with 400, an id and a line of log: %s', async (_, [line, headers = '']) => {
    const url = await serveGateway()
    for (const [what, host] of Object.entries(malformed)) {
      const answer = await talk(url, `${line} HTTP/1.1\r\n${host}${headers}\r\n{}`)
      expect({ what, status: statusOf(answer) }).toEqual({ what, status: 400 })
      expect(answer).toContain('"code":"BAD_REQUEST"')
      expect(lines.filter((it) => it.includes(idOf(answer)))).toEqual([expect.stringContaining('"status":400')])
      expect(answer + lines.join('')).not.toMatch(/\n\s+at |\.[jt]s:\d/)
    }
  })

  test.each(['', 'gateway', 'gateway:4000', 'a_b.example-c.test', '127.0.0.1:80', '[::1]', '[fe80::1]:4000', 'gateway:'])('serves "%s"', async (host) => {
    expect(statusOf(await talk(await serveGateway(), `GET /health HTTP/1.1\r\nhost: ${host}\r\n\r\n`))).toBe(200)
  })

  test('serves HTTP/1.0, which has no such header', async () => {
    expect(statusOf(await talk(await serveGateway(), 'GET /health HTTP/1.0\r\n\r\n'))).toBe(200)
  })

  test('refuses other protocols and expectations, and closes those connections', async () => {
    const url = await serveGateway()
    expect(await talk(url, 'CONNECT other:443 HTTP/1.1\r\nhost: other:443\r\n\r\n')).toBe('')
    expect(statusOf(await talk(url, 'GET /graphql HTTP/1.1\r\nhost: gateway\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'))).toBe(401)
    expect(statusOf(await talk(url, 'GET /health HTTP/1.1\r\nhost: gateway\r\nexpect: wonders\r\n\r\n'))).toBe(417)
    expect(statusOf(await talk(url, 'GET //[ HTTP/1.1\r\nhost: gateway\r\n\r\n'))).toBe(400)
    expect(statusOf(await talk(url, 'OPTIONS * HTTP/1.1\r\nhost: gateway\r\n\r\n'))).toBe(404)
  })

  test('answers what is no HTTP with 400 or 431, an id and a line of log', async () => {
    const url = await serveGateway()
    for (const [sent, status] of [['hello\r\n\r\n', 400], [`GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431]] as const) {
      const answer = await talk(url, sent)
      expect(statusOf(answer)).toBe(status)
      expect(lines.filter((it) => it.includes(idOf(answer)))).toEqual([expect.stringContaining(`"status":${status}`)])
    }
  })

  test('ends every connection, whatever comes, and nothing unexpected happens', async () => {
    const url = await serveGateway()
    const word = fc.oneof(
      fc.constantFrom('GET', 'POST', 'CONNECT', 'TRACE', '/graphql', '/health', '/ready', '//[', '*', 'http://[', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/9.9', ' ', ' ', '\r\n', '\r\n', '\r\n\r\n', '{}', '0'),
      fc.constantFrom('host: a', 'host: [', 'origin: \xff', 'origin: https://page.test', 'accept: text/html', 'accept: text/event-stream', 'content-length: 2', 'transfer-encoding: chunked', 'connection: upgrade', 'upgrade: websocket', 'expect: 100-continue', 'x-request-id: \xe9'),
      fc.string({ unit: 'binary-ascii', maxLength: 8 }),
    )
    const ends = fc.asyncProperty(fc.array(word, { maxLength: 20 }), async (words) => {
      await readToEnd((await connectTo(url)).end(words.join(''), 'latin1'))
    })
    await fc.assert(ends, { numRuns: 200 })
    expect(lines.filter((line) => !/^{"level":[1-4]0,/.test(line))).toEqual([])
    expect((await fetch(`${url}/health`)).status).toBe(200)
  })
})

describe('what answers fails', () => {
  const fault = new Error('a fault with a secret in it')

  /** Lets `listener` answer one request. */
  async function ask(listener: Parameters<typeof door>[1]): Promise<string> {
    const url = await serve(door(log, listener))
    return talk(url, 'GET / HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n')
  }

  test.each<[string, Parameters<typeof door>[1]]>([
    ['before it has begun', () => Promise.reject(fault)],
    ['by a header that HTTP does not allow', (_, outgoing) => send({ status: 200, headers: { 'x-header': 'a secret\n' }, body: '{}' }, outgoing)],
    ['by a status that HTTP does not have', (_, outgoing) => send({ status: 7, headers: { 'x-header': 'a secret' }, body: '{}' }, outgoing)],
    ['with headers set', (_, outgoing) => {
      outgoing.setHeader('x-header', 'a secret')
      throw fault
    }],
  ])('%s: the client gets 500 and the id of a line of log, and no more', async (_, listener) => {
    const answer = await ask(listener)
    expect(statusOf(answer)).toBe(500)
    expect(answer).not.toContain('secret')
    const errorId = /"errorId":"([^"]+)"/.exec(answer)?.[1] ?? 'no id'
    expect(idOf(answer)).toBe(errorId)
    expect(lines.filter((line) => line.includes(errorId))).toEqual([expect.stringContaining('"level":50')])
    expect(answer.split('\r\n\r\n')[1]).toBe(JSON.stringify({ errors: [{ message: 'Unexpected error.', extensions: { code: 'INTERNAL_SERVER_ERROR', errorId } }] }))
  })

  test('amid the answer: the connection is closed, so that the client does not take it for whole, and the log tells', async () => {
    const stream = new ReadableStream({
      start: (controller) => controller.enqueue(Buffer.from('a part')),
      pull: (controller) => controller.error(fault),
    })
    const answer = await ask((_, outgoing) => send(new Response(stream), outgoing))
    expect(answer).not.toMatch(/\r\n0\r\n\r\n$/)
    expect(lines).toEqual([expect.stringContaining('a fault')])
  })
})
