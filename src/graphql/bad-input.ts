import { GraphQLError } from 'graphql'

/** An error in the arguments of a field, which the client can correct. */
export function badInput(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } })
}
