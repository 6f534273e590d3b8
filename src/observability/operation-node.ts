import { getOperationAST, type OperationDefinitionNode } from 'graphql'
import type { Operated } from '../http/operated.js'

/** The one operation of the document that a request executes. */
export function operationNodeOf({ document, operationName }: Operated): OperationDefinitionNode | null | undefined {
  return getOperationAST(document, operationName)
}
