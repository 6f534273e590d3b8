import { defaultTypeResolver, type GraphQLAbstractType, type GraphQLResolveInfo, type ResponsePath } from 'graphql'
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

/** What a resolver is told beside its arguments, at one path of an execution. */
export type InfoOf = (path: ResponsePath, run: Run) => GraphQLResolveInfo

export function listOf(item: Completion): Completion {
  return {
    needsPath: item.needsPath,
    complete(values, prev, run) {
      if (!Array.isArray(values)) throw new Unplanned()
      const answers: unknown[] = []
      let isPending = false
      for (let key = 0; key < values.length; key += 1) {
        const path = item.needsPath ? { prev, key, typename: undefined } : undefined
        const answer = unthrown(values[key], item, path, run)
        if (answer instanceof Promise) isPending = true
        answers.push(answer)
      }
      return isPending ? Promise.all(answers) : answers
    },
  }
}

/**
 * Of an interface or a union: each value tells which type it is of.
 *
 * @param objects by the name of each type that it can be of
 * @param infoOf of the field that the value is of
 */
export function oneOf(type: GraphQLAbstractType, objects: ReadonlyMap<string, Completion>, infoOf: InfoOf): Completion {
  const resolveType = type.resolveType ?? defaultTypeResolver
  const objectOf = (name: unknown): Completion => {
    const object = typeof name === 'string' ? objects.get(name) : undefined
    if (!object) throw new Unplanned()
    return object
  }
  return {
    needsPath: true,
    complete(value, path, run) {
      const name = resolveType(value, run.contextValue, infoOf(pathOfField(path), run), type)
      return isThenable(name) ? Promise.resolve(name).then((it) => objectOf(it).complete(value, path, run)) : objectOf(name).complete(value, path, run)
    },
  }
}

/** An entry of a list stands below the field that has the list. */
function pathOfField(path: ResponsePath | undefined): ResponsePath {
  let field = path
  while (typeof field?.key === 'number') field = field.prev
  if (!field) throw new Unplanned()
  return field
}

/** What is thrown beside promises, before them or after, has to be awaited with them: a failure of theirs would be nobody's, and end the process. */
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
