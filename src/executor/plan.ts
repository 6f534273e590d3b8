import {
  defaultFieldResolver,
  type ExecutionArgs,
  type ExecutionResult,
  type FieldNode,
  type FragmentDefinitionNode,
  getArgumentValues,
  getVariableValues,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  type InlineFragmentNode,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  locatedError,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
} from 'graphql'
import { asError } from '../domain/as-error.js'
import { isRecord } from '../domain/is-record.js'
import { abstractType, completed, type Completion, type FieldOfDocument, handleFieldError, isThenable, leaf, listOf, nonNull, NOT_IN_LIST, nullable, pathAt, type Run } from './completion.js'

/**
 * Thrown for an operation that cannot have a plan, e.g. one that is no query, has directives, is too large, or asks for introspection.
 * Yoga's executor executes it each time.
 */
class Unplanned extends Error {}

/** How many fields a plan may have. The fields of a fragment count at each of its spreads. */
const MAX_FIELDS_PER_PLAN = 1_000

/** One field of an object type. Its `complete` gets the object, with the object's path and index, and returns the value of the field. */
interface PlannedField extends Completion {
  /** Its response key. */
  name: string
}

/** Makes the plan of an operation; undefined if it cannot have one. The document must have been validated. */
export function planOf({ schema, document }: Pick<ExecutionArgs, 'schema' | 'document'>, operation: OperationDefinitionNode): Plan | undefined {
  try {
    const fragments: Record<string, FragmentDefinitionNode> = {}
    for (const it of document.definitions) if (it.kind === Kind.FRAGMENT_DEFINITION) fragments[it.name.value] = it
    return new Plan(schema, fragments, operation)
  } catch (error) {
    if (error instanceof Unplanned) return undefined
    throw error
  }
}

/** A query with everything that is known before its execution: its fields, their types, resolvers and completions. */
export class Plan {
  /** How many fields the plan has. */
  fields = 0
  readonly #root: Completion

  constructor(
    readonly schema: GraphQLSchema,
    readonly fragments: Record<string, FragmentDefinitionNode>,
    readonly operation: OperationDefinitionNode,
  ) {
    const root = schema.getQueryType()
    if (operation.operation !== OperationTypeNode.QUERY || !root) throw new Unplanned()
    this.#root = this.#object(root, [operation.selectionSet])
  }

  /** Executes the query. Returns undefined, without having executed anything, if the variables are invalid: Yoga's executor then reports them. */
  execute(given: Record<string, unknown>, contextValue: object): ExecutionResult | Promise<ExecutionResult> | undefined {
    const { coerced } = getVariableValues(this.schema, this.operation.variableDefinitions ?? [], given)
    if (!coerced) return undefined
    const run: Run = { contextValue, variableValues: coerced, errors: [] }
    const answered = (data: unknown): ExecutionResult => {
      const result = { data: isRecord(data) ? data : null }
      return run.errors.length === 0 ? result : { errors: run.errors, ...result }
    }
    const failed = (error: unknown): ExecutionResult => {
      run.errors.push(locatedError(error, undefined))
      return answered(null)
    }
    try {
      const data = this.#root.complete(undefined, undefined, NOT_IN_LIST, run)
      return data instanceof Promise ? data.then(answered, failed) : answered(data)
    } catch (error) {
      return failed(error)
    }
  }

  #object(type: GraphQLObjectType, selections: SelectionSetNode[]): Completion {
    if (type.isTypeOf) throw new Unplanned()
    const nodes = new Map<string, FieldNode[]>()
    const spread = new Set<string>()
    for (const selection of selections) this.#collect(type, selection, nodes, spread)
    const fields = [...nodes].map(([key, selected]) => this.#field(type, key, selected))
    const needsPath = fields.some((field) => field.needsPath)
    return {
      needsPath,
      complete(source, path, index, run) {
        const [at, place] = needsPath ? [pathAt(path, index), NOT_IN_LIST] : [path, index]
        const answer: Record<string, unknown> = {}
        let promises: Promise<void>[] | undefined
        try {
          for (const field of fields) {
            const value = field.complete(source, at, place, run)
            answer[field.name] = value
            if (value instanceof Promise) (promises ??= []).push(value.then((it) => void (answer[field.name] = it)))
          }
        } catch (error) {
          if (!promises) throw error
          // The other fields are awaited, because their errors belong to the response too.
          return Promise.allSettled(promises).then(() => Promise.reject(asError(error)))
        }
        return promises ? Promise.all(promises).then(() => answer) : answer
      },
    }
  }

  /** Adds the fields that a selection set selects of an object type to `nodes`, by response key (CollectFields in the specification). */
  #collect(type: GraphQLObjectType, { selections }: SelectionSetNode, nodes: Map<string, FieldNode[]>, spread: Set<string>): void {
    for (const selection of selections) {
      // @skip and @include depend on the variables.
      if (selection.directives?.length) throw new Unplanned()
      if (selection.kind === Kind.FIELD) {
        const key = (selection.alias ?? selection.name).value
        // Assigning this property would set the prototype of the response object.
        if (key === '__proto__') throw new Unplanned()
        const same = nodes.get(key)
        if (same) same.push(selection)
        else nodes.set(key, [selection])
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        if (this.#applies(selection, type)) this.#collect(type, selection.selectionSet, nodes, spread)
      } else {
        const { value: name } = selection.name
        const fragment = this.fragments[name]
        if (!fragment || fragment.directives?.length) throw new Unplanned()
        if (spread.has(name)) continue
        spread.add(name)
        if (this.#applies(fragment, type)) this.#collect(type, fragment.selectionSet, nodes, spread)
      }
    }
  }

  /** Whether a fragment applies to an object type (DoesFragmentTypeApply in the specification). */
  #applies({ typeCondition }: InlineFragmentNode | FragmentDefinitionNode, type: GraphQLObjectType): boolean {
    const condition = typeCondition && this.schema.getType(typeCondition.name.value)
    return !condition || condition === type || (isAbstractType(condition) && this.schema.isSubType(condition, type))
  }

  /** Plans one field. @param name its response key */
  #field(parentType: GraphQLObjectType, name: string, nodes: FieldNode[]): PlannedField {
    this.fields += 1
    if (this.fields > MAX_FIELDS_PER_PLAN) throw new Unplanned()
    const [node] = nodes
    const typename = parentType.name
    if (node?.name.value === '__typename') return { name, needsPath: false, complete: () => typename }
    const field = node && parentType.getFields()[node.name.value]
    if (!field) throw new Unplanned()
    const ofDocument: FieldOfDocument = { nodes, coordinate: `${typename}.${field.name}`, infoOf: this.#info(parentType, field, nodes) }
    const isNullable = !isNonNullType(field.type)
    const completion = this.#completion(field.type, nodes.flatMap(({ selectionSet }) => selectionSet ?? []), ofDocument)
    const { name: property, args, resolve = defaultFieldResolver } = field
    const resolved: PlannedField = {
      name,
      needsPath: true,
      complete(source, prev, _index, run) {
        const path = { prev, key: name, typename }
        let value: unknown
        try {
          const given: unknown = args.length > 0 ? getArgumentValues(field, node, run.variableValues) : {}
          value = resolve(source, given, run.contextValue, ofDocument.infoOf(path, run))
        } catch (error) {
          return handleFieldError(error, isNullable, ofDocument, path, run)
        }
        return completed(value, completion, isNullable, ofDocument, path, NOT_IN_LIST, run)
      },
    }
    if (resolve !== defaultFieldResolver) return resolved
    const isLeaf = isLeafType(isNonNullType(field.type) ? field.type.ofType : field.type)
    return {
      name,
      needsPath: completion.needsPath,
      complete(source, path, index, run) {
        const value = isRecord(source) ? source[property] : undefined
        if (typeof value === 'function') return resolved.complete(source, pathAt(path, index), NOT_IN_LIST, run)
        if (!isLeaf || isThenable(value)) {
          return completed(value, completion, isNullable, ofDocument, { prev: pathAt(path, index), key: name, typename }, NOT_IN_LIST, run)
        }
        // Most values are leaves like this one. A path is made only if the value fails.
        try {
          return completion.complete(value, undefined, NOT_IN_LIST, run)
        } catch (error) {
          return handleFieldError(error, isNullable, ofDocument, { prev: pathAt(path, index), key: name, typename }, run)
        }
      },
    }
  }

  #info(parentType: GraphQLObjectType, { name, type }: GraphQLField<unknown, unknown>, fieldNodes: FieldNode[]): FieldOfDocument['infoOf'] {
    const { schema, fragments, operation } = this
    return (path, { variableValues }) => ({
      fieldName: name,
      fieldNodes,
      returnType: type,
      parentType,
      path,
      schema,
      fragments,
      rootValue: undefined,
      operation,
      variableValues,
    })
  }

  #completion(type: GraphQLOutputType, selections: SelectionSetNode[], field: FieldOfDocument): Completion {
    if (isNonNullType(type)) return nonNull(this.#ofPresent(type.ofType, selections, field), field)
    return nullable(this.#ofPresent(type, selections, field))
  }

  /** The completion of a type, without regard to null. */
  #ofPresent(type: GraphQLOutputType, selections: SelectionSetNode[], field: FieldOfDocument): Completion {
    if (isListType(type)) return listOf(this.#completion(type.ofType, selections, field), !isNonNullType(type.ofType), field)
    if (isObjectType(type)) return this.#object(type, selections)
    if (isAbstractType(type)) {
      const objects = this.schema.getPossibleTypes(type).map((it) => [it.name, this.#object(it, selections)] as const)
      return abstractType(type, new Map(objects), field)
    }
    if (!isLeafType(type)) throw new Unplanned()
    return leaf(type)
  }
}
