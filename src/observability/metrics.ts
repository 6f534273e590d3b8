import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Logger } from 'pino'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Database } from '../database/client.js'
import { getOperationAST } from 'graphql'
import type { Observer, RequestObserver } from './request-observer.js'
import { door } from '../process/door.js'
import { listen } from '../process/listen.js'
import type { Interruption, RequestScope } from '../request-scope/request-scope.js'

const METRICS_PATH = '/metrics'

/** Buckets in seconds. The last two are the default deadlines of an operation and of a refresh. */
const DURATIONS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 300]

/**
 * Measures requests, and serves the metrics in Prometheus's format. They have their own port because the GraphQL port may be public, and the
 * metrics are for the operator only.
 *
 * @throws StartError when the server cannot listen there.
 */
export async function startMetrics({ host, port }: { host: string; port: number }, database: Pick<Database, 'onQuery' | 'pool'>, log: Logger): Promise<Observer> {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  measurePool(registry, database.pool)
  const statements = new Counter({ name: 'gateway_sql_statements_total', help: 'SQL statements sent.', registers: [registry] })
  database.onQuery(() => statements.inc())

  const answer = door(log, async (request, response) => {
    if (request.method !== 'GET' || request.url !== METRICS_PATH) response.writeHead(404).end()
    else response.setHeader('content-type', registry.contentType).end(await registry.metrics())
  })
  const server = createServer({ joinDuplicateHeaders: true, requireHostHeader: false }, answer)
  const origin = await listen(server, host, port)
  process.stdout.write(`Metrics  ${origin}${METRICS_PATH}\n`)
  return {
    ...requestMetrics(registry),
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function measurePool(registry: Registry, pool: Database['pool']): void {
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value())
      },
    })
  gauge('gateway_pool_connections', 'Connections to the database, idle ones included.', () => pool.totalCount)
  gauge('gateway_pool_idle_connections', 'Connections to the database that nobody uses.', () => pool.idleCount)
  gauge('gateway_pool_waiting', 'How many wait for a connection to the database.', () => pool.waiting)
}

/** No label has values that a client chooses, such as operation names: each value would be a time series of its own. */
function requestMetrics(registry: Registry): RequestObserver {
  const types = new WeakMap<RequestScope, string>()
  const registers = [registry]
  const requests = new Counter({
    name: 'gateway_requests_total',
    help: 'Requests by the type of their operation and the HTTP status of their answer. The type is "none" when nothing was executed.',
    labelNames: ['type', 'status'],
    registers,
  })
  const durations = new Histogram({
    name: 'gateway_request_duration_seconds',
    help: 'How long requests took until they were answered; a subscription, until it began.',
    labelNames: ['type'],
    buckets: DURATIONS,
    registers,
  })
  const interruptions = new Counter({
    name: 'gateway_interruptions_total',
    help: 'Requests whose SQL was not executed to its end.',
    labelNames: ['reason'],
    registers,
  })
  // Each series starts at 0: Prometheus's rate() does not see the first increment of a series that starts at 1.
  const reasons: Interruption[] = ['TIMEOUT', 'OVERLOADED', 'ABANDONED', 'TOO_LARGE']
  for (const reason of reasons) interruptions.inc({ reason }, 0)
  const conflicts = new Counter({
    name: 'gateway_conflicts_total',
    help: 'Rows that a write left as they were because they had another version than it expected.',
    registers,
  })

  const errors = new Counter({
    name: 'gateway_errors_total',
    help: 'Errors in answers by their code, also where the HTTP status is 200; not those of events.',
    labelNames: ['code'],
    registers,
  })
  for (const code of ['INTERNAL_SERVER_ERROR', 'PARTIAL_FAILURE', 'OUTCOME_UNKNOWN']) errors.inc({ code }, 0)

  return {
    executing(scope, { document, operationName }) {
      const node = getOperationAST(document, operationName)
      if (node) types.set(scope, node.operation)
    },
    failed(failures) {
      // All codes come from the gateway, so that there are few.
      for (const { extensions: { code } } of failures) errors.inc({ code: typeof code === 'string' ? code : 'none' })
    },
    answered(scope, status) {
      const type = types.get(scope) ?? 'none'
      requests.inc({ type, status })
      durations.observe({ type }, (performance.now() - scope.startedAt) / 1000)
      if (scope.interruption) interruptions.inc({ reason: scope.interruption })
      conflicts.inc(scope.conflicts)
    },
  }
}
