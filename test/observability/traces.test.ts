// What a receiver of OpenTelemetry's traces gets from a real gateway.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { afterTest, seededDirectory, startGateway } from '../gateway-process.js'

const attributes = z
  .array(z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) }))
  .transform((list) => Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]])))
const span = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.int(),
  startTimeUnixNano: z.coerce.bigint(),
  endTimeUnixNano: z.coerce.bigint(),
  attributes,
})
const delivery = z.object({
  resourceSpans: z.array(z.object({ resource: z.object({ attributes }), scopeSpans: z.array(z.object({ spans: z.array(span) })) })),
})

const SERVER = 2
const CLIENT = 3

async function startReceiver() {
  const bodies: string[] = []
  const paths: (string | undefined)[] = []
  const server = createServer((request, response) => {
    paths.push(request.url)
    void text(request).then((body) => {
      bodies.push(body)
      response.setHeader('content-type', 'application/json').end('{}')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterTest(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  const address = server.address()
  const endpoint = `http://127.0.0.1:${String(typeof address === 'object' && address?.port)}`
  const resources = () => bodies.flatMap((body) => delivery.parse(JSON.parse(body)).resourceSpans)
  return {
    endpoint,
    paths,
    bodies,
    resources,
    spans: () => resources().flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
  }
}

const traceId = '0af7651916cd43dd8448eb211c80319c'
const callerSpanId = 'b7ad6b7169203331'

test('a statement that requests share is in the trace of each', async () => {
  const receiver = await startReceiver()
  const gateway = await startGateway({ DATA_DIR: await seededDirectory(), OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint }).listening()
  const [key = ''] = gateway.keys
  const found = z.object({ assessments: z.object({ nodes: z.tuple([z.object({ id: z.string() })]) }) })
  const { assessments } = await gateway.dataOf(found, key, '{ assessments(first: 1) { nodes { id } } }')
  const body = JSON.stringify({ query: 'query Shared($id: ID!) { assessment(id: $id) { name } }', variables: assessments.nodes[0] })
  const { hostname, port } = new URL(gateway.url)
  const socket = connect(Number(port), hostname).setEncoding('utf8')
  let received = ''
  socket.on('data', (data: string) => (received += data))
  /** Sends requests in one piece, so that they are read in the same turn of the gateway's event loop. */
  const send = async (count: number) => {
    received = ''
    socket.write(`POST /graphql HTTP/1.1\r\nhost: localhost\r\napikey: ${key}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`.repeat(count))
    await expect.poll(() => received.split('"data"').length).toBe(count + 1)
  }
  await send(1)
  await send(10)
  socket.end()
  expect(await gateway.stop()).toBe(0)
  const spans = receiver.spans()
  const requests = spans.filter(({ attributes }) => attributes['graphql.operation.name'] === 'Shared')
  expect(requests).toHaveLength(11)
  for (const { spanId } of requests) expect(spans.filter((it) => it.parentSpanId === spanId).map(({ name }) => name)).toEqual(['SELECT'])
})

test('each request is a span of its caller’s trace, with its statements as children and nothing secret in it', async () => {
  const receiver = await startReceiver()
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.endpoint}/otlp/`, OTEL_SERVICE_NAME: 'gateway-of-the-test' }
  const gateway = await startGateway({ DATA_DIR: await seededDirectory(), ...env }).listening()
  const [key = ''] = gateway.keys
  const post = (body: object, headers: Record<string, string> = {}) =>
    fetch(gateway.url, { method: 'POST', headers: { apikey: key, 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) })

  const found = z.object({ assessments: z.object({ nodes: z.tuple([z.object({ id: z.string() })]) }) })
  const { assessments } = await gateway.dataOf(found, key, '{ assessments(first: 1, filter: { status: [DRAFT] }) { nodes { id } } }')
  const { id } = assessments.nodes[0]
  const query = `mutation Rename($id: ID!, $name: String) { # canary-of-a-comment
    updateAssessment(id: $id, input: { name: $name, companyName: "canary-of-a-literal" }) { __typename ... on UpdateAssessmentSuccess { assessment { name } } }
  }`
  const answer = await post(
    { query, operationName: 'Rename', variables: { id, name: 'canary-of-a-variable' } },
    { traceparent: `00-${traceId}-${callerSpanId}-01`, 'x-request-id': 'request-of-the-test' },
  )
  expect(await answer.json()).toMatchObject({ data: { updateAssessment: { assessment: { name: 'canary-of-a-variable' } } } })
  expect((await post({ query }, { apikey: 'canary-of-a-credential' })).status).toBe(401)
  expect((await post({ query: 'query Unsampled { viewer { scopes } }' }, { traceparent: `00-${traceId}-${callerSpanId}-00` })).status).toBe(200)
  expect((await post({ query: 'query Garbled { viewer { scopes } }' }, { traceparent: '00-garbled' })).status).toBe(200)
  await fetch(new URL('/health', gateway.url))
  // What is not yet sent is sent before the process ends.
  expect(await gateway.stop()).toBe(0)

  expect(new Set(receiver.paths)).toEqual(new Set(['/otlp/v1/traces']))
  for (const { resource } of receiver.resources()) expect(resource.attributes).toMatchObject({ 'service.name': 'gateway-of-the-test' })
  const requests = receiver.spans().filter(({ kind }) => kind === SERVER)
  expect(requests.map((it) => [it.name, it.attributes['graphql.operation.name'], it.attributes['http.response.status_code']])).toEqual([
    ['query', undefined, 200],
    ['mutation', 'Rename', 200],
    ['request', undefined, 401],
    ['query', 'Garbled', 200],
  ])
  const rename = requests.find(({ name }) => name === 'mutation')
  expect(rename).toMatchObject({ traceId, parentSpanId: callerSpanId })
  expect(rename?.attributes).toEqual({
    'http.request.method': 'POST',
    'http.response.status_code': 200,
    'gateway.request_id': 'request-of-the-test',
    'graphql.operation.type': 'mutation',
    'graphql.operation.name': 'Rename',
  })
  expect(requests.filter((it) => it.traceId === traceId)).toHaveLength(1)

  const statements = receiver.spans().filter((it) => it.kind === CLIENT && it.parentSpanId === rename?.spanId)
  expect(statements.map(({ name }) => name)).toEqual(expect.arrayContaining(['SELECT', 'UPDATE']))
  const written = statements.find(({ name }) => name === 'UPDATE')
  expect(written?.attributes['db.query.text']).toMatch(/^UPDATE "Assessment" SET .*"name" = \$\d/)
  for (const it of statements) {
    expect(it.traceId).toBe(traceId)
    expect(it.endTimeUnixNano).toBeGreaterThanOrEqual(it.startTimeUnixNano)
  }
  const sent = receiver.bodies.join('\n')
  expect(sent).not.toContain('canary')
  for (const secret of [...gateway.keys, id]) expect(sent).not.toContain(secret)
})

test('a receiver that is away costs requests nothing; the log tells, and the process ends well', async () => {
  const gateway = await startGateway({ DATA_DIR: await seededDirectory(), OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }).listening()
  expect((await gateway.ask(gateway.keys[0] ?? '', '{ viewer { scopes } }')).errors).toBeUndefined()
  await gateway.until(() => gateway.stderr.includes('traces were not delivered'))
  expect((await gateway.ask(gateway.keys[0] ?? '', '{ viewer { scopes } }')).errors).toBeUndefined()
  expect(await gateway.stop()).toBe(0)
  expect(gateway.stderr).not.toContain(gateway.keys[0])
})
