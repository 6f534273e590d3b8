import { GraphQLError, type GraphQLErrorOptions } from 'graphql'

interface Options extends Pick<GraphQLErrorOptions, 'nodes'> {
  /** The status of the response; left out for an operation that has already begun. */
  status?: number
}

/**
 * The error of an operation that exceeds a limit.
 *
 * @param limit its name, for programs
 */
export function limitExceeded(limit: string, maximum: number, message: string, { nodes, status }: Options = {}): GraphQLError {
  const http = status !== undefined && { http: { status } }
  return new GraphQLError(message, { nodes, extensions: { code: 'LIMIT_EXCEEDED', limit, maximum, ...http } })
}

/** The error of an operation that is refused before anything of it is done. */
export function refusedByLimit(limit: string, maximum: number, message: string): GraphQLError {
  return limitExceeded(limit, maximum, message, { status: 400 })
}
