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
import { asError } from '../domain/as-error.js'
import { isRecord } from '../domain/is-record.js'
import { currentScope } from '../request-scope/request-scope.js'

/*
 * Value completion as in GraphQL's specification: the value of a resolver becomes the value in the response. A nullable field that fails
 * becomes null, and its error goes to `errors`. The messages are exactly those of @graphql-tools/executor, Yoga's own executor.
 */

/** One execution of a query. */
export interface Run {
  contextValue: object
  variableValues: Record<string, unknown>
  /** The errors of the response so far. */
  errors: GraphQLError[]
  /** The error of an execution whose request was interrupted: one for all of its fields, of which there may be thousands that fail at once. */
  interrupted?: { error: GraphQLError; isTold: boolean }
}

/*
 * Two arguments say where in the response a value is: it is item `index` of the list at `path`, or, if `index` is NOT_IN_LIST, it is at
 * `path` itself. So most items of lists need no path object of their own; nobody reads these, and they would take more memory than the
 * response. Where a resolver may read the path of an item, it is made once, because Pothos identifies rows by that object.
 */

/** The `index` of a value that is not an item of a list. */
export const NOT_IN_LIST = -1

type Path = ResponsePath | undefined

/** The path of a value itself. */
export function pathAt(path: Path, index: number): Path {
  return index === NOT_IN_LIST ? path : { prev: path, key: index, typename: undefined }
}

/** Completes the values of one type. */
export interface Completion {
  /** Whether a resolver at or below the value may read its path. */
  needsPath: boolean
  /**
   * Returns the completed value, or a promise of it.
   *
   * @throws the error of a field that cannot be null; the nearest nullable field above becomes null
   */
  complete(value: unknown, path: Path, index: number, run: Run): unknown
}

/** A field of the document, for which values are completed. */
export interface FieldOfDocument {
  /** Several if the document selects the field several times under the same response key. */
  nodes: FieldNode[]
  /** E.g. `Query.assessment`. */
  coordinate: string
  /** Makes the `info` argument of resolvers. */
  infoOf(path: ResponsePath, run: Run): GraphQLResolveInfo
}

/* ---- failures ---------------------------------------------------------------------------------- */

/**
 * Adds the error of a field to the response, and returns null as its value.
 *
 * @throws GraphQLError if the field cannot be null
 */
export function handleFieldError(cause: unknown, isNullable: boolean, { nodes }: FieldOfDocument, path: Path, run: Run): null {
  if (currentScope()?.interruption !== undefined) {
    const interrupted = (run.interrupted ??= { error: locatedError(cause, nodes, keysOf(path)), isTold: false })
    if (!isNullable) throw interrupted.error
    if (!interrupted.isTold) run.errors.push(interrupted.error)
    interrupted.isTold = true
    return null
  }
  // As @graphql-tools/executor does, each error of an AggregateError is reported by itself.
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

/** Completes the value, or promised value, of a field or of an item of a list. If it fails and may be null, it becomes null. */
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

/* ---- kinds of values --------------------------------------------------------------------------- */

/** Completes a nullable type. */
export function nullable({ needsPath, complete }: Completion): Completion {
  return {
    needsPath,
    complete(value, path, index, run) {
      if (value instanceof Error) throw value
      return value == null ? null : complete(value, path, index, run)
    },
  }
}

/** Completes a non-null type. */
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

/** An error of `serialize` is replaced by one that is masked: it is a bug of the gateway, and its message is not for the client. */
function serialize(type: GraphQLLeafType, value: unknown): unknown {
  try {
    return type.serialize(value)
  } catch (error) {
    throw error instanceof GraphQLError ? new Error(error.message) : error
  }
}

/** Completes a list. @param isNullable whether an item may be null */
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
        // An unhandled rejection of another item would end the process. So each item gets a handler here, and those that are
        // being completed are awaited together with this error.
        for (const value of values) if (isThenable(value)) Promise.resolve(value).catch(() => {})
        if (!isPending) throw error
        answers.push(Promise.reject(asError(error)))
      }
      return isPending ? Promise.all(answers) : answers
    },
  }
}

/**
 * Completes an interface or a union, after finding the object type of each value.
 *
 * @param objects the completions of the possible types, by their names
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

/** Removes the indexes from the end of a path: the path that a type resolver gets is that of the field, not of an item of its list. */
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
