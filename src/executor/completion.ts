import {
  defaultTypeResolver,
  type FieldNode,
  GraphQLError,
  type GraphQLAbstractType,
  type GraphQLLeafType,
  type GraphQLResolveInfo,
  locatedError,
  type ResponsePath,
} from 'graphql'
import { isRecord } from '../domain/is-record.js'

/*
 * How values become what the client gets, as GraphQL's specification has it: null where a field may be null and failed, and the error
 * beside it. The errors are those of @graphql-tools/executor, word by word.
 */

/** One execution of a query. */
export interface Run {
  contextValue: object
  variableValues: Record<string, unknown>
  /** What has failed so far where null stands for it. */
  errors: GraphQLError[]
}

/*
 * Where a value stands in the answer is told by two arguments: at `path`, or at a place of the list at `path`, with `index` for the
 * place and NOT_IN_LIST for none. Most values in lists so have no path of their own, which nobody looks at and which would take more memory
 * than the answer. Where somebody does look, it is made once: Pothos knows the place of a row by that very object.
 */

export const NOT_IN_LIST = -1

type Path = ResponsePath | undefined

export function pathAt(path: Path, index: number): Path {
  return index === NOT_IN_LIST ? path : { prev: path, key: index, typename: undefined }
}

/** How a value becomes what the client gets of it. */
export interface Completion {
  /** Whether a resolver below it may look at its path. */
  needsPath: boolean
  /**
   * Answers that, or a promise of it.
   *
   * @throws what it failed with, for the next place above that may be null
   */
  complete(value: unknown, path: Path, index: number, run: Run): unknown
}

/** The field of a document that a value is of. */
export interface FieldOfDocument {
  nodes: FieldNode[]
  /** E.g. `Query.assessment`. */
  coordinate: string
  /** What a resolver is told beside its arguments, at one path of an execution. */
  infoOf(path: ResponsePath, run: Run): GraphQLResolveInfo
}

/* ---- failures ---------------------------------------------------------------------------------- */

/**
 * What stands for a failure: null, with its error told.
 *
 * @throws GraphQLError where there may be no null
 */
export function handleFieldError(cause: unknown, isNullable: boolean, { nodes }: FieldOfDocument, path: Path, run: Run): null {
  // Several at once come from resolvers that do several things.
  const causes: unknown[] = cause instanceof AggregateError ? cause.errors : [cause]
  for (const it of causes) {
    const error = locatedError(it, nodes, keysOf(path))
    if (!isNullable) throw error
    run.errors.push(error)
  }
  return null
}

function keysOf(path: Path): (string | number)[] {
  const keys: (string | number)[] = []
  for (let at = path; at; at = at.prev) keys.push(at.key)
  return keys.reverse()
}

/** Completes what a field or a place in a list has, or is promised; its failure ends here if there may be null. */
export function completed(value: unknown, completion: Completion, isNullable: boolean, field: FieldOfDocument, path: Path, index: number, run: Run): unknown {
  try {
    const answer = isThenable(value)
      ? Promise.resolve(value).then((it) => completion.complete(it, path, index, run))
      : completion.complete(value, path, index, run)
    if (!(answer instanceof Promise)) return answer
    return answer.catch((error: unknown) => handleFieldError(error, isNullable, field, pathAt(path, index), run))
  } catch (error) {
    return handleFieldError(error, isNullable, field, pathAt(path, index), run)
  }
}

/** As an error, whatever was thrown. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error('Something else than an error was thrown.', { cause: thrown })
}

/* ---- kinds of values --------------------------------------------------------------------------- */

/** Of a value that may be null. */
export function nullable({ needsPath, complete }: Completion): Completion {
  return {
    needsPath,
    complete(value, path, index, run) {
      if (value instanceof Error) throw value
      return value == null ? null : complete(value, path, index, run)
    },
  }
}

/** Of a value that may not. */
export function nonNull({ needsPath, complete }: Completion, { coordinate }: FieldOfDocument): Completion {
  return {
    needsPath,
    complete(value, path, index, run) {
      if (value instanceof Error) throw value
      if (value == null) throw new Error(`Cannot return null for non-nullable field ${coordinate}.`)
      return complete(value, path, index, run)
    },
  }
}

export function leaf(type: GraphQLLeafType): Completion {
  return {
    needsPath: false,
    complete(value) {
      const serialized = serialize(type, value)
      if (serialized == null) throw new Error(`${type.name} serialized a value to nothing.`)
      return serialized
    },
  }
}

/** What a type refuses to show is a fault of the gateway, not something to tell the client. */
function serialize(type: GraphQLLeafType, value: unknown): unknown {
  try {
    return type.serialize(value)
  } catch (error) {
    throw error instanceof GraphQLError ? new Error(error.message) : error
  }
}

/** @param isNullable whether an item may be null */
export function listOf(item: Completion, isNullable: boolean, field: FieldOfDocument): Completion {
  return {
    needsPath: item.needsPath,
    complete(values, path, index, run) {
      if (!isIterable(values)) throw new GraphQLError(`Expected Iterable, but did not find one for field "${field.coordinate}".`)
      const own = pathAt(path, index)
      const answers: unknown[] = []
      let isPending = false
      try {
        for (const value of values) {
          const answer = completed(value, item, isNullable, field, own, answers.length, run)
          if (answer instanceof Promise) isPending = true
          answers.push(answer)
        }
      } catch (error) {
        // A failure of the others would be nobody's, and end the process: they are awaited with this one, or at least heard.
        for (const value of values) if (isThenable(value)) Promise.resolve(value).catch(() => {})
        if (!isPending) throw error
        answers.push(Promise.reject(asError(error)))
      }
      return isPending ? Promise.all(answers) : answers
    },
  }
}

/**
 * Of an interface or a union: each value tells which type it is of.
 *
 * @param objects by the name of each type that it can be of
 */
export function abstractType(type: GraphQLAbstractType, objects: ReadonlyMap<string, Completion>, field: FieldOfDocument): Completion {
  const resolveType = type.resolveType ?? defaultTypeResolver
  const objectOf = (name: unknown): Completion => {
    const object = typeof name === 'string' ? objects.get(name) : undefined
    if (!object) throw new GraphQLError(`Abstract type "${type.name}" was resolved to a type "${String(name)}" that does not exist inside the schema.`)
    return object
  }
  return {
    needsPath: true,
    complete(value, path, index, run) {
      const name = resolveType(value, run.contextValue, field.infoOf(pathOfField(path), run), type)
      if (isThenable(name)) return Promise.resolve(name).then((it) => objectOf(it).complete(value, path, index, run))
      return objectOf(name).complete(value, path, index, run)
    },
  }
}

/** What stands in lists belongs to the field that has them. */
function pathOfField(path: Path): ResponsePath {
  let field = path
  while (typeof field?.key === 'number') field = field.prev
  if (!field) throw new Error('A value stands below no field.')
  return field
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return isRecord(value) && typeof value['then'] === 'function'
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value
}
