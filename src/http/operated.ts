import { type DocumentNode, getOperationAST, type GraphQLSchema, type OperationDefinitionNode } from 'graphql'

/** What is to be executed, of the arguments that Yoga leaves untyped. */
export interface Operated {
  schema: GraphQLSchema
  document: DocumentNode
  operationName?: string | null | undefined
  variableValues?: Record<string, unknown> | null | undefined
}

/** The one operation of the document that a request executes. */
export function operationNodeOf({ document, operationName }: Pick<Operated, 'document' | 'operationName'>): OperationDefinitionNode | null | undefined {
  return getOperationAST(document, operationName)
}
