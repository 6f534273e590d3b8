import type { ExecutionResult } from 'graphql'
import { createYoga, type GraphQLParams, isAsyncIterable, type Plugin, type YogaServerOptions } from 'graphql-yoga'
import { asError } from '../../domain/as-error.js'
import type { Context } from '../../graphql/context.js'
import { type HttpResponse, jsonResponse } from './http-response.js'
import { resultText } from './result-text.js'
import type { HttpRequest } from './http-request.js'

/** The body of a POST: GraphQL's parameters, or the error that the client is to get. */
export type ParsedBody = { params: GraphQLParams } | { error: Error }

/** Yoga's context of a request: that of the resolvers, and the steps of Yoga that have been done for it already. */
export interface GraphqlContext extends Context {
  /** Left out for a GET, whose parameters Yoga reads from the URL. */
  body?: ParsedBody | undefined
  /** The result of the operation, if it has been executed already. */
  result?: ExecutionResult | AsyncIterable<ExecutionResult> | undefined
}

/**
 * Handles requests that have passed the guards of HTTP. Yoga runs every operation through its plugins, and writes streams, errors and
 * whatever else the client accepts. Only one kind of response is written here, which nearly all are: data without errors, as JSON, to
 * a POST. Yoga needs more time for such a response than many a query takes.
 */
export function graphqlOverHttp(options: YogaServerOptions<GraphqlContext, object>) {
  const yoga = createYoga<GraphqlContext>({ ...options, plugins: [useParsedRequest(), ...(options.plugins ?? [])] })
  // Read once, because Yoga's server is a Proxy that binds a method anew each time it is read.
  const { fetchAPI, getResultForParams } = yoga

  async function resultOf(request: Request, context: Context, params: GraphQLParams): Promise<Pick<GraphqlContext, 'body' | 'result'>> {
    try {
      return { body: { params }, result: await getResultForParams({ request, params }, context) }
    } catch (error) {
      return { body: { error: asError(error) } }
    }
  }

  return {
    fetchAPI,
    async answer(http: HttpRequest, context: Context, body: ParsedBody | undefined): Promise<HttpResponse | Response> {
      const mediaType = jsonTypeFor(http.headers.get('accept'))
      const request = http.toFetch()
      if (!body || 'error' in body || mediaType === undefined) return yoga.fetch(request, { ...context, body })
      const given = await resultOf(request, context, body.params)
      const { result } = given
      if (result && !isAsyncIterable(result) && !result.errors) return jsonResponse(200, resultText(result), {}, mediaType)
      return yoga.fetch(request, { ...context, ...given })
    },
    dispose: () => yoga.dispose(),
  }
}

/** Lets Yoga use the body that has been read, and the result of an operation that has been executed, instead of doing so again. */
function useParsedRequest(): Plugin<object, GraphqlContext> {
  return {
    onRequestParse({ serverContext: { body }, setRequestParser }) {
      if (!body) return
      setRequestParser(() => {
        if ('error' in body) throw body.error
        return body.params
      })
    },
    onParams({ context: { result }, setResult }) {
      if (result) setResult(result)
    },
  }
}

const jsonTypes = new Map([
  ['application/graphql-response+json', 'application/graphql-response+json'],
  ['application/json', 'application/json'],
  ['application/*', 'application/json'],
  ['*/*', 'application/json'],
])

/** The first JSON media type of an Accept header. Undefined if there is none, or if the header names a charset: then Yoga decides. */
function jsonTypeFor(accept: string | null): string | undefined {
  if (accept === null) return 'application/json'
  if (accept.includes('charset')) return undefined
  for (const range of accept.split(',')) {
    const type = jsonTypes.get(range.split(';', 1).join().trim().toLowerCase())
    if (type !== undefined) return type
  }
  return undefined
}
