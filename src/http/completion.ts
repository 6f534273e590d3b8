import type { ResponsePath } from 'graphql'
import { isRecord } from '../shared/is-record.js'

/** Whatever is not planned, in a document or in what its resolvers answer: the whole query is the ordinary executor's then. */
export class Unplanned extends Error {}

/** One execution of a query. */
export interface Run {
  contextValue: object
  variableValues: Record<string, unknown>
}

/** How a value becomes what the client gets of it. */
export interface Completion {
  /** Answers that, or a promise of it. */
  complete(value: unknown, path: ResponsePath | undefined, run: Run): unknown
  /** Whether a resolver below it may look at its path; made for each value, paths are what most memory would go to. */
  needsPath: boolean
}

export function listOf(item: Completion): Completion {
  return {
    needsPath: item.needsPath,
    complete(values, prev, run) {
      if (!Array.isArray(values)) throw new Unplanned()
      const answers: unknown[] = []
      let isPending = false
      for (let key = 0; key < values.length; key += 1) {
        const path = item.needsPath ? { prev, key, typename: undefined } : undefined
        const answer = isPending ? unthrown(values[key], item, path, run) : completed(values[key], item, path, run)
        if (answer instanceof Promise) isPending = true
        answers.push(answer)
      }
      return isPending ? Promise.all(answers) : answers
    },
  }
}

/** What is thrown beside promises has to be awaited with them, or theirs would be nobody's. */
function unthrown(value: unknown, completion: Completion, path: ResponsePath | undefined, run: Run): unknown {
  try {
    return completed(value, completion, path, run)
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Unplanned())
  }
}

export function completed(value: unknown, completion: Completion, path: ResponsePath | undefined, run: Run): unknown {
  if (isThenable(value)) {
    return Promise.resolve(value).then((it: unknown) => {
      if (it instanceof Error) throw it
      return completion.complete(it, path, run)
    })
  }
  if (value instanceof Error) throw value
  return completion.complete(value, path, run)
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return isRecord(value) && typeof value['then'] === 'function'
}
