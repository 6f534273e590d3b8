import type { ExecutionResult } from 'graphql'
import { createYoga, type GraphQLParams, isAsyncIterable, type Plugin, type YogaServerOptions } from 'graphql-yoga'
import type { Context } from '../../graphql/context.js'
import { type HttpResponse, jsonResponse } from './answer.js'
import type { HttpRequest } from './http-request.js'

/** What a POST asks for, or what is wrong with it. */
export type ParsedBody = { params: GraphQLParams } | { error: Error }

/** What Yoga is given of a request: the context of its resolvers, and what has come of it so far. */
export interface GraphqlContext extends Context {
  /** Left out for a GET, whose parameters Yoga reads. */
  body?: ParsedBody | undefined
  /** What the operation came to, where it has been executed. */
  result?: ExecutionResult | AsyncIterable<ExecutionResult> | undefined
}

/**
 * Answers requests that have passed the guards of HTTP. Yoga runs every operation through its plugins, and puts what comes of it into
 * the form that the client accepts: JSON, a stream, or an error with its status. Only data without errors as the JSON answer to a
 * POST, which nearly all answers are, is written here, since Yoga takes longer to make one than many a query takes.
 */
export function graphqlOverHttp(options: YogaServerOptions<GraphqlContext, object>) {
  const yoga = createYoga<GraphqlContext>({ ...options, plugins: [useParsedRequest(), ...(options.plugins ?? [])] })
  // Taken once: Yoga makes it anew each time that it is asked for.
  const { fetchAPI, getResultForParams } = yoga

  async function resultOf(request: Request, context: Context, params: GraphQLParams): Promise<Pick<GraphqlContext, 'body' | 'result'>> {
    try {
      return { body: { params }, result: await getResultForParams({ request, params }, context) }
    } catch (error) {
      return { body: { error: error instanceof Error ? error : new Error('Something else than an error was thrown.', { cause: error }) } }
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
      if (result && !isAsyncIterable(result) && !result.errors) return jsonResponse(200, result, {}, mediaType)
      return yoga.fetch(request, { ...context, ...given })
    },
    dispose: () => yoga.dispose(),
  }
}

/** Lets Yoga go on with what has been read or executed already. */
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

/** The first of the JSON types that a client accepts; undefined where there is none, or more to it than a type. */
function jsonTypeFor(accept: string | null): string | undefined {
  if (accept === null) return 'application/json'
  if (accept.includes('charset')) return undefined
  for (const range of accept.split(',')) {
    const type = jsonTypes.get(range.split(';', 1).join().trim().toLowerCase())
    if (type !== undefined) return type
  }
  return undefined
}
