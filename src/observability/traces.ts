import { type Attributes, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, type TextMapGetter, trace, type Tracer } from '@opentelemetry/api'
import { getOperationAST } from 'graphql'
import { setGlobalErrorHandler, W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import type { Logger } from 'pino'
import type { Database } from '../database/client.js'
import type { Observer, RequestHeaders, RequestObserver } from './request-observer.js'
import { currentScope, type RequestScope } from '../request-scope/request-scope.js'

export interface TraceSettings {
  /** The base URL of an OTLP receiver. Traces are sent to /v1/traces below it. */
  endpoint: string
  serviceName: string
}

/** How long the delivery of a batch may take, and so how long an unreachable receiver can delay the end of the process. */
const EXPORT_TIMEOUT_MS = 5_000
/** Longer attributes are cut. The SQL of a refresh of many rows can have thousands of placeholders. */
const MAX_ATTRIBUTE_LENGTH = 4_096

const headersOf: TextMapGetter<RequestHeaders> = { get: (headers, name) => headers.get(name) ?? undefined, keys: () => ['traceparent', 'tracestate'] }

/**
 * Sends a span for each request and for each of its SQL statements to an OTLP receiver. Spans never contain variables, documents,
 * credentials or values of SQL. The tracer is not registered globally, so that no other library starts to trace by itself.
 */
export function startTraces({ endpoint, serviceName }: TraceSettings, { onQuery }: Pick<Database, 'onQuery'>, log: Logger): Observer {
  setGlobalErrorHandler((err) => log.warn({ err }, 'traces were not delivered'))
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces`, timeoutMillis: EXPORT_TIMEOUT_MS })
  const provider = new TracerProvider({
    resource: defaultResource().merge(resourceFromAttributes({ 'service.name': serviceName })),
    spanLimits: { attributeValueLengthLimit: MAX_ATTRIBUTE_LENGTH },
    spanProcessors: [new BatchSpanProcessor({ exporter, exportTimeoutMillis: EXPORT_TIMEOUT_MS })],
  })
  const tracer = provider.getTracer('assessment-gateway')
  const spans = new WeakMap<RequestScope, Span>()
  onQuery((sql, durationMs) => traceStatement(tracer, spans, sql, durationMs))
  return {
    ...requestSpans(tracer, spans),
    // The process must not fail because the last spans could not be delivered.
    close: () => provider.shutdown().catch((err: unknown) => log.warn({ err }, 'traces were not delivered')),
  }
}

function requestSpans(tracer: Tracer, spans: WeakMap<RequestScope, Span>): RequestObserver {
  const propagator = new W3CTraceContextPropagator()
  return {
    received(scope, { method, headers }) {
      const parent = propagator.extract(ROOT_CONTEXT, headers, headersOf)
      const attributes: Attributes = { 'http.request.method': method, 'gateway.request_id': scope.requestId }
      spans.set(scope, tracer.startSpan('request', { kind: SpanKind.SERVER, attributes }, parent))
    },
    executing(scope, { document, operationName }) {
      const span = spans.get(scope)
      const node = getOperationAST(document, operationName)
      if (!span || !node) return
      // The span is named by the operation type: clients choose operation names, and backends index spans by name.
      span.updateName(node.operation)
      span.setAttribute('graphql.operation.type', node.operation)
      // GraphQL does not limit the length of a name.
      if (node.name) span.setAttribute('graphql.operation.name', node.name.value.slice(0, 100))
    },
    answered(scope, status) {
      const span = spans.get(scope)
      if (!span) return
      span.setAttribute('http.response.status_code', status)
      if (scope.interruption) span.setAttribute('gateway.interruption', scope.interruption)
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
      span.end()
    },
  }
}

function traceStatement(tracer: Tracer, spans: WeakMap<RequestScope, Span>, sql: string, durationMs: number): void {
  const scope = currentScope()
  if (!scope) return
  const end = Date.now()
  const verb = /\w+/.exec(sql)?.[0].toUpperCase() ?? 'SQL'
  const attributes = { 'db.system.name': 'postgresql', 'db.operation.name': verb, 'db.query.text': sql }
  for (const member of [scope, ...scope.members]) {
    const span = spans.get(member)
    // The span of a subscription ends when its events start. Their SQL is not traced: they may go on for days in one trace.
    if (!span?.isRecording()) continue
    tracer.startSpan(verb, { kind: SpanKind.CLIENT, startTime: end - durationMs, attributes }, trace.setSpan(ROOT_CONTEXT, span)).end(end)
  }
}
