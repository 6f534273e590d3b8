import type { ExecutionArgs, ExecutionResult } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { isRecord } from '../../domain/is-record.js'
import { currentScope } from '../../request-scope/request-scope.js'
import { asContext } from '../context.js'
import { jsonInTurns } from '../http/json-in-turns.js'
import { interruptedResult } from '../http/masked-errors.js'
import { withDataText } from '../http/result-text.js'

/** JSON writes some characters as an escape of this many bytes. */
const BYTES_PER_CHARACTER = 6

/**
 * Executes an operation, or an event of a subscription, and refuses an answer with more than `maximumBytes` of data, while it is written: in
 * turns of the event loop. An answer that has too low a cost to be so long is not looked at.
 */
export function withinBytes(maximumBytes: number, args: ExecutionArgs, execute: () => unknown): unknown {
  const { budget } = asContext(args.contextValue)
  const limited = (result: unknown) => {
    if (!isResult(result)) return result
    // It may have read too much without a statement that could fail for that.
    if (currentScope()?.interruption === 'TOO_LARGE') return interruptedResult('TOO_LARGE')
    return budget.characters * BYTES_PER_CHARACTER > maximumBytes ? bounded(result, maximumBytes) : result
  }
  const result: unknown = execute()
  return result instanceof Promise ? result.then(limited) : limited(result)
}

async function bounded(result: ExecutionResult, maximumBytes: number): Promise<ExecutionResult> {
  const text = await jsonInTurns(result.data, maximumBytes)
  if (text) return withDataText(result, text)
  currentScope()?.interrupt('TOO_LARGE', { limit: 'bytes', maximum: maximumBytes })
  return interruptedResult('TOO_LARGE')
}

/** Bounds the answers of queries and mutations, as withinBytes says. */
export function useAnswerLimit(maximumBytes: number): Plugin {
  return {
    onExecute({ executeFn, setExecuteFn }) {
      setExecuteFn((args: ExecutionArgs) => withinBytes(maximumBytes, args, () => executeFn(args)))
    },
  }
}

/** Whether it is a result with data, and not a stream of results. */
function isResult(it: unknown): it is ExecutionResult {
  return isRecord(it) && isRecord(it['data'])
}
