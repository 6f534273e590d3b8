import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type FieldNode,
  type FragmentDefinitionNode,
  getNamedType,
  getNullableType,
  type GraphQLCompositeType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isCompositeType,
  isListType,
  isUnionType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
  valueFromASTUntyped,
} from 'graphql'
import { isAsyncIterable, type Plugin } from 'graphql-yoga'
import { DEFAULT_PAGE_SIZE, MAXIMUM_PAGE_SIZE } from '../../graphql/pagination.js'
import { limitExceeded } from './document-limits.js'

/** The cost of a field of Mutation, added to the cost of the objects that it returns. */
const MUTATION_COST = 10

/** Lists without pages that can hold all assessments of an organisation, with the length that is assumed for their cost. */
const LONG_LISTS: Record<string, number> = { 'RefreshAssessmentsSuccess.details': 1_000 }

/** Arguments that determine the length of the list that their field returns: `nodes(ids:)` and `_entities(representations:)`. */
const LENGTH_ARGUMENTS = ['ids', 'representations']

/** Computes the cost of operations, and refuses those above `maximum`. */
export class CostLimit {
  readonly #plans = new WeakMap<DocumentNode, Plan>()

  constructor(readonly maximum: number) {}

  /**
   * The cost of an operation: the number of objects that its response could hold at most. A field with a selection set costs 1, a
   * field without one 0. Below `nodes` and `edges`, costs count `first` or `last` times; below a list of ids or representations,
   * once for each of them.
   */
  of({ document, operationName, schema, variableValues }: ExecutionArgs): number {
    let plan = this.#plans.get(document)
    if (!plan) this.#plans.set(document, (plan = new Plan(schema, document)))
    return plan.cost(operationName, variableValues ?? {})
  }

  /** The `extensions` of the response. */
  extension(requested: number): { cost: { requested: number; maximum: number } } {
    return { cost: { requested, maximum: this.maximum } }
  }

  refusal(requested: number): ExecutionResult | undefined {
    if (requested <= this.maximum) return undefined
    const message = `An operation may cost at most ${this.maximum}, not ${requested}. Ask for fewer or smaller pages.`
    return { errors: [limitExceeded('cost', this.maximum, message)], extensions: this.extension(requested) }
  }
}

/** Refuses operations that cost too much before they are executed. The response to any other has its cost in `extensions.cost`. */
export function useCostLimit(limit: CostLimit): Plugin {
  return {
    onExecute({ args, setResultAndStopExecution }) {
      const requested = limit.of(args)
      const refusal = limit.refusal(requested)
      if (refusal) return setResultAndStopExecution(refusal)
      return {
        onExecuteDone({ result, setResult }) {
          if (!isAsyncIterable(result)) setResult({ ...result, extensions: { ...result.extensions, ...limit.extension(requested) } })
        },
      }
    },
    onSubscribe({ args, setResultAndStopExecution }) {
      const refusal = limit.refusal(limit.of(args))
      if (refusal) setResultAndStopExecution(refusal)
    },
  }
}

interface Evaluation {
  variables: Record<string, unknown>
  /** Costs of fragments by name and page size. Without this memory, fragments that spread the next one twice would take exponential time. */
  fragments: Map<string, number>
}

/** Computes the cost of a selection. `page` is the page size of the connection that the selection is directly below, otherwise 1. */
type Cost = (evaluation: Evaluation, page: number) => number

/** The costs of a document's operations as functions of the variables. The document has been validated. */
class Plan {
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>
  readonly #fragmentCosts = new Map<string, Cost>()
  readonly #operations: { node: OperationDefinitionNode; cost: Cost }[]

  constructor(
    readonly schema: GraphQLSchema,
    { definitions }: DocumentNode,
  ) {
    this.#fragments = new Map(definitions.flatMap((it) => (it.kind === Kind.FRAGMENT_DEFINITION ? [[it.name.value, it]] : [])))
    this.#operations = definitions.flatMap((node) => {
      if (node.kind !== Kind.OPERATION_DEFINITION) return []
      const root = schema.getRootType(node.operation)
      if (!root) return []
      const selection = this.#ofSelection(node.selectionSet, root)
      const writes = node.operation === OperationTypeNode.MUTATION ? MUTATION_COST * this.#countFields(node.selectionSet) : 0
      return [{ node, cost: (evaluation, page) => writes + selection(evaluation, page) }]
    })
  }

  cost(operationName: string | null | undefined, given: Record<string, unknown>): number {
    const operation = operationName == null ? this.#operations[0] : this.#operations.find(({ node }) => node.name?.value === operationName)
    if (!operation) return 0
    const variables = { ...given }
    for (const { variable, defaultValue } of operation.node.variableDefinitions ?? []) {
      if (defaultValue && variables[variable.name.value] === undefined) variables[variable.name.value] = valueFromASTUntyped(defaultValue)
    }
    return operation.cost({ variables, fragments: new Map() }, 1)
  }

  #ofSelection({ selections }: SelectionSetNode, type: GraphQLCompositeType): Cost {
    const costs = selections.flatMap((selection): Cost[] => {
      if (selection.kind === Kind.FIELD) return this.#ofField(selection, type)
      if (selection.kind === Kind.FRAGMENT_SPREAD) return [this.#ofFragment(selection.name.value)]
      const condition = selection.typeCondition && this.schema.getType(selection.typeCondition.name.value)
      return [this.#ofSelection(selection.selectionSet, isCompositeType(condition) ? condition : type)]
    })
    return (evaluation, page) => costs.reduce((sum, cost) => sum + cost(evaluation, page), 0)
  }

  /** Counts the fields of a selection, including those of fragments. useDocumentLimits has limited their number already. */
  #countFields({ selections }: SelectionSetNode): number {
    return selections.reduce((count, selection) => {
      if (selection.kind === Kind.FIELD) return count + 1
      const set = selection.kind === Kind.INLINE_FRAGMENT ? selection.selectionSet : this.#fragments.get(selection.name.value)?.selectionSet
      return set ? count + this.#countFields(set) : count
    }, 0)
  }

  #ofFragment(name: string): Cost {
    return (evaluation, page) => {
      const key = `${name} ${page}`
      const known = evaluation.fragments.get(key)
      if (known !== undefined) return known
      let cost = this.#fragmentCosts.get(name)
      if (!cost) {
        const fragment = this.#fragments.get(name)
        const type = fragment && this.schema.getType(fragment.typeCondition.name.value)
        cost = fragment && isCompositeType(type) ? this.#ofSelection(fragment.selectionSet, type) : () => 0
        this.#fragmentCosts.set(name, cost)
      }
      const sum = cost(evaluation, page)
      evaluation.fragments.set(key, sum)
      return sum
    }
  }

  #ofField(node: FieldNode, parent: GraphQLCompositeType): Cost[] {
    const field = isUnionType(parent) ? undefined : parent.getFields()[node.name.value]
    const type = field && getNamedType(field.type)
    // Fields without a selection set, and introspection, whose depth GraphQL's MaxIntrospectionDepthRule limits.
    if (!field || !node.selectionSet || !isCompositeType(type)) return []
    const below = this.#ofSelection(node.selectionSet, type)
    const lengthArgument = node.arguments?.find(({ name }) => LENGTH_ARGUMENTS.includes(name.value))
    const isPaged = field.args.some(({ name }) => name === 'first')
    const isList = isListOf(field.type)
    const unpaged = LONG_LISTS[`${parent.name}.${field.name}`]
    return [
      (evaluation, page) => {
        const valueOf = (name: string): unknown => {
          const argument = node.arguments?.find((it) => it.name.value === name)
          return argument && valueFromASTUntyped(argument.value, evaluation.variables)
        }
        if (isPaged) return 1 + below(evaluation, pageSize(valueOf('last')) ?? pageSize(valueOf('first')) ?? DEFAULT_PAGE_SIZE)
        const list = lengthArgument && valueOf(lengthArgument.name.value)
        const times = unpaged ?? (lengthArgument ? (Array.isArray(list) ? list.length : 1) : isList ? page : 1)
        return times * (1 + below(evaluation, 1))
      },
    ]
  }
}

function isListOf(type: GraphQLOutputType): boolean {
  return isListType(getNullableType(type))
}

/** The page size of an argument, clamped to what a page can have: the field itself refuses any other size, which then costs little. */
function pageSize(value: unknown): number | undefined {
  return typeof value === 'number' ? Math.min(Math.max(value, 0), MAXIMUM_PAGE_SIZE) : undefined
}
