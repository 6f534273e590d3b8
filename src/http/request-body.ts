import { GraphQLError } from 'graphql'
import type { GraphQLParams, Plugin } from 'graphql-yoga'
import { z } from 'zod'
import type { ServerContext } from './handed-over.js'

/** Reads bodies of a bounded length, whether that is announced or only found out while reading. */
export function useRequestBody(maximumBytes: number): Plugin<object, ServerContext> {
  return {
    onRequestParse({ request, serverContext, setRequestParser }) {
      if (request.method !== 'POST') return
      const { text }: ServerContext = serverContext
      setRequestParser(async () => parameters(text ?? (await textOf(request, maximumBytes))))
    },
  }
}

/** @throws GraphQLError when the body is longer than `maximumBytes`. */
async function textOf(request: Request, maximumBytes: number): Promise<string> {
  const announced = request.headers.get('content-length')
  if (announced !== null) {
    // Node reads no more than was announced.
    if (Number(announced) > maximumBytes) throw tooLong(maximumBytes)
    return request.text()
  }
  if (!request.body) return ''
  const chunks: Uint8Array[] = []
  let bytes = 0
  // A loop over the body would, when left early, close the connection before the answer is sent.
  const reader = request.body.getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    bytes += next.value.byteLength
    if (bytes > maximumBytes) throw tooLong(maximumBytes)
    chunks.push(next.value)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function tooLong(maximumBytes: number): GraphQLError {
  return refusal(413, 'PAYLOAD_TOO_LARGE', `The body of a request may have at most ${maximumBytes} bytes.`, {
    // What is still to come of the body is not waited for.
    connection: 'close',
  })
}

const requestParameters = z.looseObject({})

/** @throws GraphQLError when it is not one JSON object. */
function parameters(body: string): GraphQLParams {
  const { data } = requestParameters.safeParse(json(body))
  if (data) return data
  throw refusal(400, 'BAD_REQUEST', 'The body must be one JSON object with a `query`; several operations are several requests.')
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw refusal(400, 'BAD_REQUEST', 'The body is not valid JSON.')
  }
}

function refusal(status: number, code: string, message: string, headers: Record<string, string> = {}): GraphQLError {
  return new GraphQLError(message, { extensions: { code, http: { status, headers } } })
}
