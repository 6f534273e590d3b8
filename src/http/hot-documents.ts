import type { IncomingMessage } from 'node:http'
import { execute } from '@graphql-tools/executor'
import { type DocumentNode, type ExecutionResult, type GraphQLSchema, OperationTypeNode } from 'graphql'
import { isAsyncIterable, type Plugin } from 'graphql-yoga'
import type { LRUCache } from 'lru-cache'
import type { Logger } from 'pino'
import { z } from 'zod'
import type { RequestHeaders } from '../auth.js'
import type { Context } from '../context.js'
import { currentOperation, type Operation } from '../operation.js'
import { documentHash, type PersistedDocuments } from '../persisted-documents.js'
import type { Viewer } from '../shared/viewer.js'
import type { Admit } from './admission.js'
import type { CostLimit } from './cost.js'
import { isJson } from './cross-site.js'
import { withinDeadline } from './deadline.js'
import { type Answer, unexpectedFailure } from './failure.js'
import type { HandedOver, ServerContext } from './handed-over.js'
import { masked, unexpected } from './masked-errors.js'
import { type Operated, operationNodeOf } from './operated.js'
import { commonHeaders, logAnswer, nameOperation } from './operation-log.js'
import { QueryPlans } from './query-plans.js'
import type { RateLimits } from './rate-limits.js'
import type { RequestObserver } from './request-observer.js'

/** A request, whether it came by node:http or by fetch. */
export interface HotRequest {
  method: string
  /** The path and what follows it. */
  target: string
  headers: RequestHeaders
  /** Left out without a connection. */
  incoming?: IncomingMessage
  /** Aborted when the client has gone away. */
  signal: AbortSignal
  /** The body; null when the client left before it had sent all of it. */
  text(): Promise<string | null>
}

/** For the log: nobody gets it. */
const CLIENT_LEFT: Answer = { status: 499, headers: {}, body: '' }

interface HotDocumentsOptions {
  schema: GraphQLSchema
  path: string
  /** Longer bodies are Yoga's to refuse, in bytes. */
  bodyBytes: number
  /** Whether pages of other origins are told that they may read answers, which Yoga does. */
  hasCors: boolean
  operationTimeoutMs: number
  /** Yoga's: within the limits, by their source. */
  documents: LRUCache<string, DocumentNode>
  persistedDocuments: PersistedDocuments | undefined
  cost: CostLimit
  rateLimits: RateLimits
  admit: Admit
  contextOf(viewer: Viewer, headers: RequestHeaders): Context
  observers: RequestObserver[]
  log: Logger
}

const parameters = z.strictObject({
  query: z.string().optional(),
  documentId: z.string().optional(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
  extensions: z.record(z.string(), z.unknown()).nullish(),
})

/**
 * The short way for what most requests are: a query or mutation by POST whose document Yoga has
 * parsed, measured, validated and executed before. It holds the same guards as Yoga's plugins, in the
 * same order, without what Yoga does for all other kinds of requests, which takes longer than to
 * answer a small query. Whatever is unusual is handed over to Yoga, errors included.
 */
export class HotDocuments {
  readonly #valid = new WeakSet<DocumentNode>()
  readonly #plans = new QueryPlans()

  constructor(readonly options: HotDocumentsOptions) {}

  /** Remembers what Yoga executes: its document is valid. */
  plugin(): Plugin<object, ServerContext> {
    return {
      onExecute: ({ args }) => {
        const operated: Operated = args
        this.#valid.add(operated.document)
      },
      onParams({ context, setResult }) {
        const handedOver: ServerContext = context
        if (handedOver.result) setResult(handedOver.result)
      },
    }
  }

  /** Whether to answer a request here, as far as its head tells. */
  takes({ method, target, headers }: Pick<HotRequest, 'method' | 'target' | 'headers'>): boolean {
    const { path, bodyBytes, hasCors } = this.options
    if (method !== 'POST' || target !== path || !isJson(headers) || (hasCors && headers.get('origin') !== null)) return false
    const length = Number(headers.get('content-length'))
    return length > 0 && length <= bodyBytes && mediaTypeOf(headers) !== undefined
  }

  /** Answers a request, or hands it over; within the operation, which has begun. */
  async answer(request: HotRequest, operation: Operation): Promise<Answer | HandedOver> {
    try {
      return await this.#answer(request, operation)
    } catch (error) {
      const failure = unexpectedFailure(error, this.options.log)
      return { ...failure, headers: { ...commonHeaders(operation), ...failure.headers } }
    }
  }

  async #answer(request: HotRequest, operation: Operation): Promise<Answer | HandedOver> {
    const { rateLimits, admit, observers, log } = this.options
    for (const observer of observers) observer.received?.(operation, request)
    const answered = (answer: Answer, viewer: Viewer | undefined): Answer => {
      for (const observer of observers) observer.answered?.(operation, answer.status)
      logAnswer(log, operation, viewer, answer.status)
      return { ...answer, headers: { ...commonHeaders(operation), ...answer.headers } }
    }
    const excess = await rateLimits.ofAddress(request.incoming)
    if (excess) return answered(excess, undefined)
    const admitted = await admit(request.headers)
    if ('refusal' in admitted) return answered(admitted.refusal, undefined)
    const { viewer } = admitted
    const text = await request.text()
    if (text === null) return answered(CLIENT_LEFT, viewer)
    const operated = this.#operated(text)
    if (!operated) return { viewer, text, result: undefined }
    const result = await this.#execute(operated, viewer, request)
    if (result.errors) return { viewer, text, result }
    const headers = { 'content-type': `${mediaTypeOf(request.headers)}; charset=utf-8` }
    return answered({ status: 200, headers, body: JSON.stringify(result) }, viewer)
  }

  /** What the body asks for, if its document has been executed before. */
  #operated(text: string): Operated | undefined {
    const { schema, documents } = this.options
    const { data } = parameters.safeParse(json(text))
    const source = data && this.#sourceOf(data)
    const document = source === undefined ? undefined : documents.get(source)
    if (!data || !document || !this.#valid.has(document)) return undefined
    const operated = { schema, document, operationName: data.operationName, variableValues: data.variables }
    const type = operationNodeOf(operated)?.operation
    return type === OperationTypeNode.QUERY || type === OperationTypeNode.MUTATION ? operated : undefined
  }

  #sourceOf(given: z.output<typeof parameters>): string | undefined {
    const { persistedDocuments } = this.options
    const hash = documentHash(given)
    // Yoga knows what comes of both.
    if (given.query && hash !== null) return undefined
    if (hash !== null) return persistedDocuments?.documents.get(hash)
    return persistedDocuments?.only ? undefined : given.query
  }

  async #execute(operated: Operated, viewer: Viewer, { headers, signal }: HotRequest): Promise<ExecutionResult> {
    const { cost, operationTimeoutMs, contextOf, observers, log } = this.options
    const operation = currentOperation()
    if (operation) for (const observer of observers) observer.executing?.(operation, operated)
    nameOperation(operated)
    const requested = cost.of(operated)
    const refusal = cost.refusal(requested)
    if (refusal) return refusal
    const extensions = cost.extension(requested)
    try {
      const result = await withinDeadline(
        operationTimeoutMs,
        operated,
        signal,
        async () => (await this.#plans.execute(operated, contextOf(viewer, headers))) ?? execute({ ...operated, contextValue: contextOf(viewer, headers) }),
      )
      if (isAsyncIterable(result) || 'initialResult' in result) throw new Error('Neither queries nor mutations answer in parts.')
      const errors = result.errors?.map((error) => masked(error, 'Unexpected error.', log))
      return { ...result, ...(errors && { errors }), extensions }
    } catch (error) {
      return { errors: [unexpected(error, log)], extensions }
    }
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const mediaTypes = new Map([
  ['application/graphql-response+json', 'application/graphql-response+json'],
  ['application/json', 'application/json'],
  ['application/*', 'application/json'],
  ['*/*', 'application/json'],
])

/** The first of the media types that the client accepts; undefined where Yoga has to look closer. */
function mediaTypeOf(headers: RequestHeaders): string | undefined {
  const accept = headers.get('accept')
  if (accept === null) return 'application/json'
  if (accept.includes('charset')) return undefined
  for (const range of accept.split(',')) {
    const type = mediaTypes.get(range.split(';', 1).join().trim().toLowerCase())
    if (type !== undefined) return type
  }
  return undefined
}
