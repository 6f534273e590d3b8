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

/** What a field of Mutation costs beside the objects that it answers. */
const MUTATION_COST = 10

/** Lists that can be as long as an organisation has assessments, and what they count for. */
const LONG_LISTS: Record<string, number> = { 'RefreshAssessmentsSuccess.details': 1_000 }

/** The lists whose length an argument gives, by that argument's name. */
const LENGTH_ARGUMENTS = ['ids', 'representations']

/** The costs of operations, and how those that cost too much are refused. */
export class CostLimit {
  readonly #plans = new WeakMap<DocumentNode, Plan>()

  constructor(readonly maximum: number) {}

  /**
   * The objects that an operation could answer at most. A field with a selection costs 1, one without
   * nothing; what stands below `nodes` or `edges` counts `first` or `last` times, and below a list
   * of ids or representations once for each of them.
   */
  of({ document, operationName, schema, variableValues }: ExecutionArgs): number {
    let plan = this.#plans.get(document)
    if (!plan) this.#plans.set(document, (plan = new Plan(schema, document)))
    return plan.cost(operationName, variableValues ?? {})
  }

  /** What the answer tells of the cost. */
  extension(requested: number): { cost: { requested: number; maximum: number } } {
    return { cost: { requested, maximum: this.maximum } }
  }

  refusal(requested: number): ExecutionResult | undefined {
    if (requested <= this.maximum) return undefined
    const message = `An operation may cost at most ${this.maximum}, not ${requested}. Ask for fewer or smaller pages.`
    return { errors: [limitExceeded('cost', this.maximum, message)], extensions: this.extension(requested) }
  }
}

/** Refuses operations that ask for too much, before anything is resolved, and tells all others their cost in `extensions.cost`. */
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
  /** What fragments cost that were met before; a fragment may spread others without end to the sum. */
  fragments: Map<string, number>
}

/** Costs of a selection, in a connection of `page` items. */
type Cost = (evaluation: Evaluation, page: number) => number

/** The costs of a valid document, but for the values of its variables. */
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

  /** The fields of a selection, by fragments too; their number is limited before. */
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
    // Introspection, which has limits of its own, and fields without a selection.
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

/** A size that no page can have is refused by the field itself, so that it costs no more than the largest. */
function pageSize(value: unknown): number | undefined {
  return typeof value === 'number' ? Math.min(Math.max(value, 0), MAXIMUM_PAGE_SIZE) : undefined
}
