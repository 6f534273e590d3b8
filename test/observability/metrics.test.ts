// What Prometheus sees of a real gateway, on the port of the metrics.
import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { afterTest, type GatewayProcess, seededDirectory, startGateway } from '../gateway-process.js'

const update = `mutation ($id: ID!, $expectedVersion: Int, $input: UpdateAssessmentInput!) {
  updateAssessment(id: $id, expectedVersion: $expectedVersion, input: $input) { __typename }
}`
const found = z.object({ assessments: z.object({ nodes: z.tuple([z.object({ id: z.string(), version: z.int() })]) }) })
const firstAssessment = '{ assessments(first: 1, filter: { status: [DRAFT] }) { nodes { id version } } }'

function metricsUrl(gateway: GatewayProcess): string {
  return /^Metrics {2}(\S+)$/m.exec(gateway.stdout)?.[1] ?? ''
}

/** Every series, e.g. `name{label="value"}`, with its value. */
async function scrape(gateway: GatewayProcess): Promise<Map<string, number>> {
  const response = await fetch(metricsUrl(gateway))
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  const lines = (await response.text()).split('\n').filter((line) => line && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]))
}

/** By how much each series of the given names rose; the others stayed. */
function risen(before: Map<string, number>, after: Map<string, number>, names: RegExp): Record<string, number> {
  const differences = [...after].map(([series, value]): [string, number] => [series, value - (before.get(series) ?? 0)])
  return Object.fromEntries(differences.filter(([series, difference]) => names.test(series) && difference !== 0))
}

test('counters rise by what was sent, and the GraphQL port shows none of them', async () => {
  const gateway = await startGateway({ DATA_DIR: await seededDirectory(), METRICS_PORT: '0' }).listening()
  const [key = ''] = gateway.keys
  const { assessments } = await gateway.dataOf(found, key, firstAssessment)
  const [{ id, version }] = assessments.nodes
  const before = await scrape(gateway)

  await gateway.dataOf(found, key, `query MadeUpByAClient ${firstAssessment}`)
  expect((await fetch(gateway.url, { method: 'POST', body: '{}' })).status).toBe(401)
  expect((await gateway.ask(key, '{ viewer {')).errors).toBeDefined()
  const change = { id, expectedVersion: version, input: { progress: 50 } }
  expect(await gateway.ask(key, update, change)).toEqual({ data: { updateAssessment: { __typename: 'UpdateAssessmentSuccess' } } })
  expect(await gateway.ask(key, update, change)).toEqual({ data: { updateAssessment: { __typename: 'ConflictError' } } })
  await fetch(new URL('/health', gateway.url))

  const after = await scrape(gateway)
  expect(risen(before, after, /^gateway_(requests|errors|conflicts|interruptions|request_duration_seconds_count)/)).toEqual({
    'gateway_requests_total{type="query",status="200"}': 1,
    'gateway_requests_total{type="mutation",status="200"}': 2,
    'gateway_requests_total{type="none",status="401"}': 1,
    // Without an Accept header an answer is 200 whatever is in it; its errors tell.
    'gateway_requests_total{type="none",status="200"}': 1,
    'gateway_errors_total{code="GRAPHQL_PARSE_FAILED"}': 1,
    'gateway_request_duration_seconds_count{type="query"}': 1,
    'gateway_request_duration_seconds_count{type="mutation"}': 2,
    'gateway_request_duration_seconds_count{type="none"}': 2,
    gateway_conflicts_total: 1,
  })
  expect(risen(before, after, /^gateway_sql_statements_total$/)['gateway_sql_statements_total']).toBeGreaterThanOrEqual(5)
  expect(Object.fromEntries([...after].filter(([series]) => /^gateway_(pool|interruptions)/.test(series)))).toEqual({
    gateway_pool_connections: 1,
    gateway_pool_idle_connections: 1,
    gateway_pool_waiting: 0,
    'gateway_interruptions_total{reason="TIMEOUT"}': 0,
    'gateway_interruptions_total{reason="OVERLOADED"}': 0,
    'gateway_interruptions_total{reason="ABANDONED"}': 0,
    'gateway_interruptions_total{reason="TOO_LARGE"}': 0,
  })
  expect([...after.keys()]).toEqual(expect.arrayContaining(['process_resident_memory_bytes', 'nodejs_eventloop_lag_seconds']))
  expect([...after.keys()].join('\n')).not.toContain('MadeUpByAClient')

  expect((await fetch(new URL('/metrics', gateway.url))).status).toBe(404)
  expect((await fetch(new URL('/metrics', gateway.url), { headers: { apikey: key } })).status).toBe(404)
  expect((await fetch(new URL('/graphql', metricsUrl(gateway)))).status).toBe(404)
  expect((await fetch(metricsUrl(gateway), { method: 'POST' })).status).toBe(404)
  expect(await gateway.stop()).toBe(0)
})

test('an operation that took too long is counted by that reason', async () => {
  const gateway = await startGateway({ DATA_DIR: await seededDirectory(), METRICS_PORT: '0', OPERATION_TIMEOUT_MS: '1' }).listening()
  const { errors } = await gateway.ask(gateway.keys[0] ?? '', '{ assessments(first: 100) { totalCount nodes { id history { totalCount } } } }')
  expect(errors).toMatchObject([{ extensions: { code: 'TIMEOUT' } }])
  const metrics = await scrape(gateway)
  expect(metrics.get('gateway_interruptions_total{reason="TIMEOUT"}')).toBe(1)
  expect(metrics.get('gateway_requests_total{type="query",status="504"}')).toBe(1)
})

test('a port of the metrics that is taken stops the start with a sentence', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  afterTest(() => new Promise((resolve) => other.close(resolve)))
  const address = other.address()
  const port = typeof address === 'object' && address ? String(address.port) : ''
  const gateway = startGateway({ DATA_DIR: await seededDirectory(), METRICS_PORT: port })
  expect(await gateway.exit).toBe(1)
  expect(gateway.stderr).toContain(`Cannot listen on 127.0.0.1 port ${port}`)
})
