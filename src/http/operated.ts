import type { DocumentNode, GraphQLSchema } from 'graphql'

/** What is to be executed, of the arguments that Yoga leaves untyped. */
export interface Operated {
  schema: GraphQLSchema
  document: DocumentNode
  operationName?: string | null | undefined
  variableValues?: Record<string, unknown> | null | undefined
}
