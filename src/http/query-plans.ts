import {
  defaultFieldResolver,
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
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
} from 'graphql'
import { LRUCache } from 'lru-cache'
import { isRecord } from '../shared/is-record.js'
import { completed, type Completion, type InfoOf, listOf, oneOf, Unplanned } from './completion.js'
import { type Operated, operationNodeOf } from './operated.js'

/** Fields that are kept planned in all, each about a kilobyte. */
const MOST_FIELDS = 50_000
/** So many characters of source have a syntax tree about as large as the plan of a field. */
const CHARACTERS_LIKE_A_FIELD = 10
/** A query with more, counted wherever a fragment is spread, has no plan. */
const LARGEST_QUERY = 1_000

/** The field of an answer; its value is the object that it is a field of. */
interface PlannedField extends Completion {
  key: string
}

/**
 * Queries with all that can be known before they are executed looked up once: which fields of which
 * types they select, by which resolvers, in which form. Long lists take a third of the time so. A plan
 * knows only success: when anything is an error, or of a kind that is not planned, the query has to be
 * executed from the start, which changes nothing.
 */
export class QueryPlans {
  readonly #plans = new LRUCache<OperationDefinitionNode, { plan: Plan | undefined; fields: number }>({
    maxSize: MOST_FIELDS,
    // A plan keeps the syntax tree of its whole document.
    sizeCalculation: ({ fields }, { loc }) => fields + Math.ceil((loc?.source.body.length ?? 0) / CHARACTERS_LIKE_A_FIELD) + 1,
  })

  /** The answer to a valid operation; undefined when it takes the ordinary executor. */
  async execute(operated: Operated, contextValue: object): Promise<ExecutionResult | undefined> {
    const operation = operationNodeOf(operated)
    if (!operation) return undefined
    let known = this.#plans.get(operation)
    if (!known) this.#plans.set(operation, (known = planOf(operated, operation)))
    return known.plan?.execute(operated.variableValues ?? {}, contextValue)
  }
}

/** The plan of one operation of a valid document, if it can have one, and its size. */
export function planOf({ schema, document }: Operated, operation: OperationDefinitionNode): { plan: Plan | undefined; fields: number } {
  try {
    const fragments: Record<string, FragmentDefinitionNode> = {}
    for (const it of document.definitions) if (it.kind === Kind.FRAGMENT_DEFINITION) fragments[it.name.value] = it
    const plan = new Plan(schema, fragments, operation)
    return { plan, fields: plan.fields }
  } catch (error) {
    if (error instanceof Unplanned) return { plan: undefined, fields: 0 }
    throw error
  }
}

class Plan {
  /** How many it has. */
  fields = 0
  readonly #root: Completion

  constructor(
    readonly schema: GraphQLSchema,
    readonly fragments: Record<string, FragmentDefinitionNode>,
    readonly operation: OperationDefinitionNode,
  ) {
    const root = schema.getQueryType()
    // Mutations are executed one after the other, and not twice.
    if (operation.operation !== OperationTypeNode.QUERY || !root) throw new Unplanned()
    this.#root = this.#object(root, [operation.selectionSet])
  }

  async execute(given: Record<string, unknown>, contextValue: object): Promise<ExecutionResult | undefined> {
    const { coerced } = getVariableValues(this.schema, this.operation.variableDefinitions ?? [], given)
    if (!coerced) return undefined
    try {
      const data = await this.#root.complete({}, undefined, { contextValue, variableValues: coerced })
      return isRecord(data) ? { data } : undefined
    } catch {
      // Whatever it is, the ordinary executor meets it as well, and tells it as it should be told.
      return undefined
    }
  }

  #object(type: GraphQLObjectType, selections: SelectionSetNode[]): Completion {
    if (type.isTypeOf) throw new Unplanned()
    const nodes = new Map<string, FieldNode[]>()
    const spread = new Set<string>()
    for (const selection of selections) this.#collect(type, selection, nodes, spread)
    const fields = [...nodes].map(([key, selected]) => this.#field(type, key, selected))
    return {
      needsPath: fields.some(({ needsPath }) => needsPath),
      complete(source, path, run) {
        const answer: Record<string, unknown> = {}
        let promises: Promise<void>[] | undefined
        try {
          for (const { key, complete } of fields) {
            const value = complete(source, path, run)
            answer[key] = value
            if (value instanceof Promise) (promises ??= []).push(value.then((it) => void (answer[key] = it)))
          }
        } catch (error) {
          // Nobody waits for the others any more.
          for (const promise of promises ?? []) promise.catch(() => {})
          throw error
        }
        return promises ? Promise.all(promises).then(() => answer) : answer
      },
    }
  }

  /** The fields that a selection has of a type, by their keys in the answer. */
  #collect(type: GraphQLObjectType, { selections }: SelectionSetNode, nodes: Map<string, FieldNode[]>, spread: Set<string>): void {
    for (const selection of selections) {
      // Conditions change with the variables.
      if (selection.directives?.length) throw new Unplanned()
      if (selection.kind === Kind.FIELD) {
        const key = (selection.alias ?? selection.name).value
        // As a name of a property it would be more than that.
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

  /** A fragment inside of another can be of a type that this object is not. */
  #applies({ typeCondition }: InlineFragmentNode | FragmentDefinitionNode, type: GraphQLObjectType): boolean {
    const condition = typeCondition && this.schema.getType(typeCondition.name.value)
    return !condition || condition === type || (isAbstractType(condition) && this.schema.isSubType(condition, type))
  }

  #field(parentType: GraphQLObjectType, key: string, fieldNodes: FieldNode[]): PlannedField {
    this.fields += 1
    if (this.fields > LARGEST_QUERY) throw new Unplanned()
    const [node] = fieldNodes
    if (node?.name.value === '__typename') return { key, needsPath: false, complete: () => parentType.name }
    const field = node && parentType.getFields()[node.name.value]
    if (!field) throw new Unplanned()
    const infoOf = this.#info(parentType, field, fieldNodes)
    const completion = this.#completion(field.type, fieldNodes.flatMap(({ selectionSet }) => selectionSet ?? []), infoOf)
    const { name, resolve } = field
    const typename = parentType.name
    if (!resolve || resolve === defaultFieldResolver) {
      const { needsPath } = completion
      return {
        key,
        needsPath,
        complete(source, prev, run) {
          const value = isRecord(source) ? source[name] : undefined
          if (typeof value === 'function') throw new Unplanned()
          return completed(value, completion, needsPath ? { prev, key, typename } : undefined, run)
        },
      }
    }
    const hasArguments = field.args.length > 0
    return {
      key,
      needsPath: true,
      complete(source, prev, run) {
        const path = { prev, key, typename }
        const given: unknown = hasArguments ? getArgumentValues(field, node, run.variableValues) : {}
        const value: unknown = resolve(source, given, run.contextValue, infoOf(path, run))
        return completed(value, completion, path, run)
      },
    }
  }

  #info(parentType: GraphQLObjectType, { name, type }: GraphQLField<unknown, unknown>, fieldNodes: FieldNode[]): InfoOf {
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

  #completion(type: GraphQLOutputType, selections: SelectionSetNode[], infoOf: InfoOf): Completion {
    const isNullable = !isNonNullType(type)
    const { complete, needsPath } = this.#ofPresent(isNonNullType(type) ? type.ofType : type, selections, infoOf)
    return {
      needsPath,
      complete(value, path, run) {
        if (value != null) return complete(value, path, run)
        if (isNullable) return null
        throw new Unplanned()
      },
    }
  }

  /** Of values that are not null. */
  #ofPresent(type: GraphQLOutputType, selections: SelectionSetNode[], infoOf: InfoOf): Completion {
    if (isListType(type)) return listOf(this.#completion(type.ofType, selections, infoOf))
    if (isObjectType(type)) return this.#object(type, selections)
    if (isAbstractType(type)) {
      const objects = this.schema.getPossibleTypes(type).map((it) => [it.name, this.#object(it, selections)] as const)
      return oneOf(type, new Map(objects), infoOf)
    }
    if (!isLeafType(type)) throw new Unplanned()
    return {
      needsPath: false,
      complete(value) {
        const serialized: unknown = type.serialize(value)
        if (serialized == null) throw new Unplanned()
        return serialized
      },
    }
  }
}
