import { MIMEType } from 'node:util'
import { GraphQLError } from 'graphql'
import type { GraphQLParams } from 'graphql-yoga'
import { z } from 'zod'
import type { RequestHeaders } from '../../observability/request-observer.js'
import { emptyResponse, errorResponse, type HttpResponse } from '../http/http-response.js'
import { BodyTooLongError, NotUtf8Error } from '../http/http-request.js'
import type { Guard } from './guard.js'

/** Only the log sees this response, because nobody is there to receive it. */
const CLIENT_LEFT = emptyResponse(499)

/**
 * Reads the body of a POST. If the body is too long or is not JSON in UTF-8, the error is kept in `guarded.body`: Yoga sends it later, in the form
 * that the client accepts.
 */
export function readBody(maximumBytes: number): Guard {
  return async (guarded) => {
    const { request } = guarded
    if (request.method !== 'POST') return undefined
    const refused = refusedEncoding(request.headers)
    if (refused) return refused
    try {
      if (Number(request.headers.get('content-length')) > maximumBytes) throw new BodyTooLongError()
      const text = await request.text(maximumBytes)
      if (text === null) return CLIENT_LEFT
      guarded.body = { params: parameters(text) }
    } catch (error) {
      if (error instanceof GraphQLError) guarded.body = { error }
      else if (error instanceof BodyTooLongError) guarded.body = { error: tooLong(maximumBytes) }
      else if (error instanceof NotUtf8Error) guarded.body = { error: refusal(400, 'BAD_REQUEST', 'The body is not UTF-8.') }
      else throw error
    }
    return undefined
  }
}

/** The response to a body that is declared to be other than plain UTF-8; undefined if it is read. */
function refusedEncoding(headers: RequestHeaders): HttpResponse | undefined {
  const charset = new MIMEType(headers.get('content-type') ?? '').params.get('charset')
  if (charset !== null && !/^utf-?8$/i.test(charset)) return errorResponse(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send the request in UTF-8.')
  const encoding = headers.get('content-encoding')
  if (encoding === null || encoding.toLowerCase() === 'identity') return undefined
  return errorResponse(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send the request without a Content-Encoding.', { 'accept-encoding': 'identity' })
}

function tooLong(maximumBytes: number): GraphQLError {
  return refusal(413, 'PAYLOAD_TOO_LARGE', `The body of a request may have at most ${maximumBytes} bytes.`, {
    // Otherwise the server would have to read the rest of the body before the next request on this connection.
    connection: 'close',
  })
}

const requestParameters = z.looseObject({})

/** @throws GraphQLError when the body is not one JSON object. */
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
