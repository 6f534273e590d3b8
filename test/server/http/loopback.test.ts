// A gateway with demo keys: a page of another name that leads to this machine (DNS rebinding) gets nothing.
import pino from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { serveHttp } from '../../../src/server/http/http-server.js'
import { createServer } from '../../../src/server/server.js'
import { dependencies } from '../../gateway.js'
import { talk } from '../../sockets.js'
import { anOrganisation } from '../../story.js'

const log = pino({ level: 'silent' })

async function serve(onlyLoopback: boolean, demoKey?: string): Promise<string> {
  const { listener } = createServer({ ...dependencies, log, onlyLoopback, graphiql: { demoKey }, corsOrigins: ['https://page.test'] })
  const server = await serveHttp(listener, log, { host: '127.0.0.1', port: 0, maximumConnections: 100, keepAliveTimeoutMs: 75_000, sendTimeoutMs: 60_000, shutdownTimeoutMs: 0 })
  onTestFinished(() => server.close())
  return server.origin
}

const requests: Record<string, (host: string, key: string) => string> = {
  'the page': (host) => `GET /graphql HTTP/1.1\r\n${host}accept: text/html\r\nconnection: close\r\n\r\n`,
  'a query': (host, key) => `GET /graphql?query={viewer{scopes}} HTTP/1.1\r\n${host}apikey: ${key}\r\napollo-require-preflight: 1\r\nconnection: close\r\n\r\n`,
  'a preflight request': (host) => `OPTIONS /graphql HTTP/1.1\r\n${host}origin: https://page.test\r\naccess-control-request-method: POST\r\nconnection: close\r\n\r\n`,
  '/health': (host) => `GET /health HTTP/1.1\r\n${host}connection: close\r\n\r\n`,
  '/ready': (host) => `GET /ready HTTP/1.1\r\n${host}connection: close\r\n\r\n`,
  'nothing of ours': (host) => `GET /elsewhere HTTP/1.1\r\n${host}connection: close\r\n\r\n`,
}
const foreign = ['evil.example', 'evil.example:4000', 'localhost.evil.example', '127.0.0.1.evil.example', '127.evil', '127.0.0.256', '128.0.0.1', '10.0.0.1', '0.0.0.0', '[::2]', '[::ffff:10.0.0.1]', 'localhost,evil.example', '']
const own = ['localhost', 'LocalHost:4000', '127.0.0.1', '127.0.0.1:4000', '127.255.3.4:1', '[::1]', '[::1]:4000']

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1])

test.each(Object.entries(requests))('with demo keys, only a Host header that names this machine is answered: %s', async (_, request) => {
  const { key } = await anOrganisation()
  const url = await serve(true, key)
  for (const host of foreign) {
    const answer = await talk(url, request(`host: ${host}\r\n`, key))
    expect({ host, status: statusOf(answer) }).toEqual({ host, status: 421 })
    expect(answer).toContain('localhost, 127.0.0.1 or [::1]')
    expect(answer).not.toContain(key)
  }
  for (const host of own) expect({ host, status: statusOf(await talk(url, request(`host: ${host}\r\n`, key))) }).not.toEqual({ host, status: 421 })
})

test('without a Host header neither, which HTTP/1.0 does not ask for', async () => {
  expect(statusOf(await talk(await serve(true), 'GET /health HTTP/1.0\r\n\r\n'))).toBe(421)
})

test.each(Object.entries(requests))('without demo keys the name does not matter: %s', async (_, request) => {
  const { key } = await anOrganisation()
  const url = await serve(false)
  for (const host of [...foreign, ...own]) expect(statusOf(await talk(url, request(`host: ${host}\r\n`, key)))).toBeLessThan(405)
})
