import { types } from 'node:util'
import { type ExecutionArgs, getOperationAST, OperationTypeNode } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { asError } from '../../domain/as-error.js'
import { currentScope } from '../../request-scope/request-scope.js'
import { interruptedResult } from '../http/masked-errors.js'

/** How long an operation that has written may take to end after its deadline, so that its client gets what was read of the answer. */
const GRACE_MS = 1_000

/**
 * Ends an operation that takes longer than `timeoutMs`: its client gets an error, and its SQL is cancelled. One that has written, or may
 * have, is answered with what has been read by then and errors for the rest. An operation can extend its own deadline, as
 * refreshAssessments does. A query is also ended when its client disconnects; a mutation is finished.
 */
export function useDeadline(timeoutMs: number): Plugin {
  return {
    onExecute({ executeFn, setExecuteFn }) {
      setExecuteFn((args: ExecutionArgs) => withinDeadline(timeoutMs, args, () => executeFn(args)))
    },
  }
}

/** Executes an operation, or an event of a subscription, within a deadline, as useDeadline says. */
export function withinDeadline(timeoutMs: number, { document, operationName }: ExecutionArgs, execute: () => unknown): unknown {
  const scope = currentScope()
  const node = getOperationAST(document, operationName)
  if (!scope || !node) return execute()
  if (node.operation === OperationTypeNode.QUERY) {
    const abandon = () => scope.interrupt('ABANDONED')
    // The client may have disconnected already, while its credential was looked up.
    if (scope.hasClientLeft) abandon()
    scope.onClientLeft = abandon
  }
  let answer: (result: unknown) => void = () => {}
  let grace: NodeJS.Timeout | undefined
  // Before the operation starts, because it may extend its deadline synchronously.
  scope.startDeadline(timeoutMs, () => {
    scope.interrupt('TIMEOUT')
    const giveUp = () => answer(interruptedResult('TIMEOUT'))
    if (scope.writes.areNone) giveUp()
    else grace = setTimeout(giveUp, GRACE_MS)
  })
  const over = () => {
    scope.stopDeadline()
    clearTimeout(grace)
    scope.onClientLeft = undefined
  }
  let executed: unknown
  try {
    executed = execute()
  } catch (error) {
    over()
    throw error
  }
  if (!types.isPromise(executed)) {
    over()
    return executed
  }
  const running = executed
  return new Promise((resolve, reject) => {
    answer = resolve
    running.then(
      (result) => {
        over()
        resolve(result)
      },
      (error: unknown) => {
        over()
        reject(asError(error))
      },
    )
  })
}
