import { types } from 'node:util'
import { type ExecutionResult, OperationTypeNode } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { currentOperation } from '../operation.js'
import { interruptionError } from './masked-errors.js'
import { type Operated, operationNodeOf } from './operated.js'

/**
 * Answers an operation that takes longer than `timeoutMs` with an error, and ends its SQL; it may
 * prolong its time by itself. A query whose client has gone away is given up too; a mutation is
 * finished.
 *
 * @param signal aborted when the client has gone away
 */
export function withinDeadline<Result>(timeoutMs: number, operated: Operated, signal: AbortSignal, execute: () => Result): Result | Promise<Awaited<Result> | ExecutionResult> {
  const operation = currentOperation()
  const node = operationNodeOf(operated)
  if (!operation || !node) return execute()
  const isQuery = node.operation === OperationTypeNode.QUERY
  const abandon = () => operation.interrupt('ABANDONED')
  // It may have left while its credential was looked up.
  if (isQuery && signal.aborted) abandon()
  const tooLate = new Promise<ExecutionResult>((resolve) => {
    operation.startDeadline(timeoutMs, () => {
      operation.interrupt('TIMEOUT')
      resolve({ errors: [interruptionError('TIMEOUT')] })
    })
  })
  let executed: Result
  try {
    executed = execute()
  } catch (error) {
    operation.stopDeadline()
    throw error
  }
  if (!types.isPromise(executed)) {
    operation.stopDeadline()
    return executed
  }
  if (isQuery) signal.addEventListener('abort', abandon)
  return Promise.race([executed, tooLate]).finally(() => {
    operation.stopDeadline()
    if (isQuery) signal.removeEventListener('abort', abandon)
  })
}

export function useDeadline(timeoutMs: number): Plugin {
  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      const { signal } = args.contextValue.request
      setExecuteFn((args) => withinDeadline<unknown>(timeoutMs, args, signal, () => executeFn(args)))
    },
  }
}
