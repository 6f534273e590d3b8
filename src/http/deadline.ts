import { types } from 'node:util'
import { type ExecutionResult, getOperationAST, OperationTypeNode } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { currentOperation } from '../operation.js'
import { interruptionError } from './masked-errors.js'
import type { Operated } from './operated.js'
import { rootFieldsOf } from './root-fields.js'

export interface Deadlines {
  /** How long an operation may take, in milliseconds. */
  operationTimeoutMs: number
  /** The same for one that refreshes assessments, which has a deadline of its own. */
  refreshTimeoutMs: number
}

/** What is left to an operation of refreshAssessments to tell that its own deadline has passed. */
const REFRESH_GRACE_MS = 10_000

/**
 * Answers an operation that takes too long with an error, and ends its SQL. A query whose client
 * has gone away is given up too; a mutation is finished.
 */
export function useDeadline({ operationTimeoutMs, refreshTimeoutMs }: Deadlines): Plugin {
  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      const operation = currentOperation()
      const operated: Operated = args
      const { document, operationName } = operated
      const node = getOperationAST(document, operationName)
      if (!operation || !node) return
      const refreshes = node.operation === OperationTypeNode.MUTATION && rootFieldsOf(document, node).includes('refreshAssessments')
      const timeoutMs = refreshes ? refreshTimeoutMs + REFRESH_GRACE_MS : operationTimeoutMs
      const isQuery = node.operation === OperationTypeNode.QUERY
      const { signal } = args.contextValue.request
      setExecuteFn((args) => {
        const abandon = () => operation.interrupt('ABANDONED')
        // It may have left while its credential was looked up.
        if (isQuery && signal.aborted) abandon()
        const executed: unknown = executeFn(args)
        if (!types.isPromise(executed)) return executed
        let timer: NodeJS.Timeout | undefined
        const tooLate = new Promise<ExecutionResult>((resolve) => {
          timer = setTimeout(() => {
            operation.interrupt('TIMEOUT')
            resolve({ errors: [interruptionError('TIMEOUT')] })
          }, timeoutMs)
        })
        if (isQuery) signal.addEventListener('abort', abandon)
        return Promise.race([executed, tooLate]).finally(() => {
          clearTimeout(timer)
          if (isQuery) signal.removeEventListener('abort', abandon)
        })
      })
    },
  }
}
