import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  getNamedType,
  getNullableType,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLOutputType,
  type GraphQLSchema,
  isCompositeType,
  isListType,
  isUnionType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
  valueFromASTUntyped,
} from 'graphql'
import { DEFAULT_PAGE_SIZE, MAXIMUM_PAGE_SIZE } from '../../graphql/pagination.js'
import { CHARACTERS_PER_COST, maximumCharacters } from '../../graphql/text-size.js'

/** The cost of a field of Mutation, added to the cost of what it returns. */
const MUTATION_COST = 10
/** The cost of a totalCount. PostgreSQL reads the index of the whole list for it, whatever the page. */
const COUNT_COST = 1_000
/** What one of the objects costs that `nodes` and `_entities` look up: each that cannot be read is an error of the answer. */
const LOOKUP_COST = 10

/** Arguments that determine the length of the list that their field returns: `nodes(ids:)` and `_entities(representations:)`. */
const LENGTH_ARGUMENTS = ['ids', 'representations']
/** The argument that names the rows of which the field's answer tells. Without it, it tells of all. */
const ROWS_ARGUMENT = 'assessmentIds'

/** Lists that are as long as the page of the connection that has them. The connection pays for their items, whether or not they are selected. */
const PAGED_LISTS = ['nodes', 'edges']
/** The list of what a refresh tells, which is as long as the argument of the field above says. */
const LIST_OF_ROWS = 'details'

/** What a selection costs. */
export interface Cost {
  /** For each object that has the selection. */
  each: number
  /** Once, however many objects have it: a list is counted for all of them together. */
  once: number
}

/** What the cost of an operation depends on, beside its document. */
export interface Evaluation {
  variables: Record<string, unknown>
  /** How many assessments the organisation has; undefined while nobody has counted them. */
  assessments: number | undefined
  /** Set when the cost depends on the number of assessments. */
  needsAssessments: boolean
  /** Costs of fragments by name and length. Without this memory, fragments that spread the next one twice would take exponential time. */
  fragments: Map<string, Cost>
}

/** Computes the cost of a selection. `length` is that of the lists directly below, e.g. the page size of a connection. */
type CostOf = (evaluation: Evaluation, length: number) => Cost

const FREE: Cost = { each: 0, once: 0 }

function plus(a: Cost, b: Cost): Cost {
  return { each: a.each + b.each, once: a.once + b.once }
}

/** The costs of a document's operations as functions of the variables. The document has been validated. */
export class CostPlan {
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>
  readonly #fragmentCosts = new Map<string, CostOf>()
  readonly #operations: { node: OperationDefinitionNode; rootFields: number; cost: CostOf }[]
  /** The costs of one item of the lists whose length is known only when they are read. */
  readonly #items = new Map<FieldNode, CostOf>()

  constructor(
    readonly schema: GraphQLSchema,
    /** Of what the schema says about itself: see schemaLengths. */
    readonly lengths: Record<string, number>,
    { definitions }: DocumentNode,
  ) {
    this.#fragments = new Map(definitions.flatMap((it) => (it.kind === Kind.FRAGMENT_DEFINITION ? [[it.name.value, it]] : [])))
    this.#operations = definitions.flatMap((node) => {
      if (node.kind !== Kind.OPERATION_DEFINITION) return []
      const root = schema.getRootType(node.operation)
      if (!root) return []
      const selection = this.#ofSelection(node.selectionSet, root)
      const rootFields = this.#countFields(node.selectionSet)
      const writes = node.operation === OperationTypeNode.MUTATION ? MUTATION_COST * rootFields : 0
      return [{ node, rootFields, cost: (evaluation, length) => plus({ each: writes, once: 0 }, selection(evaluation, length)) }]
    })
  }

  /** What the evaluation of one operation starts with. */
  evaluation(operationName: string | null | undefined, given: Record<string, unknown>, assessments?: number): Evaluation {
    const variables = { ...given }
    for (const { variable, defaultValue } of this.#operation(operationName)?.node.variableDefinitions ?? []) {
      if (defaultValue && variables[variable.name.value] === undefined) variables[variable.name.value] = valueFromASTUntyped(defaultValue)
    }
    return { variables, assessments, needsAssessments: false, fragments: new Map() }
  }

  cost(operationName: string | null | undefined, evaluation: Evaluation): Cost {
    return this.#operation(operationName)?.cost(evaluation, 1) ?? FREE
  }

  /** How many fields there are at the root of an operation, those of fragments among them. */
  rootFields(operationName: string | null | undefined): number {
    return this.#operation(operationName)?.rootFields ?? 0
  }

  /** The cost of one item of a list whose length is known only when it is read. */
  costOfItem(list: FieldNode, evaluation: Evaluation): number {
    return this.#items.get(list)?.(evaluation, 1).each ?? 0
  }

  #fieldOf(parent: GraphQLCompositeType, name: string): GraphQLField<unknown, unknown> | undefined {
    if (parent === this.schema.getQueryType()) {
      if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef
      if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef
    }
    return isUnionType(parent) ? undefined : parent.getFields()[name]
  }

  #operation(name: string | null | undefined) {
    return name == null ? this.#operations[0] : this.#operations.find(({ node }) => node.name?.value === name)
  }

  #ofSelection({ selections }: SelectionSetNode, type: GraphQLCompositeType): CostOf {
    const costs = selections.flatMap((selection): CostOf[] => {
      if (selection.kind === Kind.FIELD) return [this.#ofField(selection, type)]
      if (selection.kind === Kind.FRAGMENT_SPREAD) return [this.#ofFragment(selection.name.value)]
      const condition = selection.typeCondition && this.schema.getType(selection.typeCondition.name.value)
      return [this.#ofSelection(selection.selectionSet, isCompositeType(condition) ? condition : type)]
    })
    return (evaluation, length) => costs.reduce((sum, cost) => plus(sum, cost(evaluation, length)), FREE)
  }

  /** Counts the fields of a selection, including those of fragments. useDocumentLimits has limited their number already. */
  #countFields({ selections }: SelectionSetNode): number {
    return selections.reduce((count, selection) => {
      if (selection.kind === Kind.FIELD) return count + 1
      const set = selection.kind === Kind.INLINE_FRAGMENT ? selection.selectionSet : this.#fragments.get(selection.name.value)?.selectionSet
      return set ? count + this.#countFields(set) : count
    }, 0)
  }

  #ofFragment(name: string): CostOf {
    return (evaluation, length) => {
      const key = `${name} ${length}`
      const known = evaluation.fragments.get(key)
      if (known !== undefined) return known
      let cost = this.#fragmentCosts.get(name)
      if (!cost) {
        const fragment = this.#fragments.get(name)
        const type = fragment && this.schema.getType(fragment.typeCondition.name.value)
        cost = fragment && isCompositeType(type) ? this.#ofSelection(fragment.selectionSet, type) : () => FREE
        this.#fragmentCosts.set(name, cost)
      }
      const sum = cost(evaluation, length)
      evaluation.fragments.set(key, sum)
      return sum
    }
  }

  #ofField(node: FieldNode, parent: GraphQLCompositeType): CostOf {
    const field = this.#fieldOf(parent, node.name.value)
    const own = (each: number, once = 0): CostOf => () => ({ each, once })
    // __typename
    if (!field) return own(1)
    const type = getNamedType(field.type)
    const coordinate = `${parent.name}.${field.name}`
    const isList = isListOf(field.type)
    if (!node.selectionSet || !isCompositeType(type)) {
      if (field.name === 'totalCount') return own(1, COUNT_COST)
      const characters = this.lengths[coordinate] ?? maximumCharacters(field)
      const each = 1 + Math.floor(characters / CHARACTERS_PER_COST)
      if (isList) this.#items.set(node, own(each))
      return own(each)
    }
    const below = this.#ofSelection(node.selectionSet, type)
    const times = (length: number, item: Cost, price = 1): Cost => ({ each: length * (price + item.each), once: item.once })
    const argumentOf = (name: string) => node.arguments?.find((it) => it.name.value === name)
    const valueOf = (name: string, { variables }: Evaluation): unknown => {
      const argument = argumentOf(name)
      return argument && valueFromASTUntyped(argument.value, variables)
    }
    const takes = (name: string) => field.args.some((it) => it.name === name)

    if (takes('first')) {
      return (evaluation) => {
        const size = pageSize(valueOf('last', evaluation)) ?? pageSize(valueOf('first', evaluation)) ?? DEFAULT_PAGE_SIZE
        return times(1, below(evaluation, size), 1 + size)
      }
    }
    if (takes(ROWS_ARGUMENT)) {
      return (evaluation) => {
        const rows = valueOf(ROWS_ARGUMENT, evaluation)
        if (Array.isArray(rows) && rows.length > 0) return times(1, below(evaluation, rows.length))
        const one = below(evaluation, 1)
        const dependsOnRows = below(evaluation, 2).each > one.each
        if (!dependsOnRows) return times(1, one)
        evaluation.needsAssessments = true
        return times(1, below(evaluation, evaluation.assessments ?? 1))
      }
    }
    const lengthArgument = LENGTH_ARGUMENTS.find(takes)
    if (lengthArgument !== undefined) {
      return (evaluation) => {
        const list = valueOf(lengthArgument, evaluation)
        return times(Array.isArray(list) ? list.length : 1, below(evaluation, 1), LOOKUP_COST)
      }
    }
    const known = this.lengths[coordinate]
    if (known !== undefined) return (evaluation) => times(known, below(evaluation, 1))
    if (!isList) return (evaluation) => times(1, below(evaluation, 1))
    if (PAGED_LISTS.includes(field.name)) return (evaluation, length) => times(length, below(evaluation, 1), 0)
    if (field.name === LIST_OF_ROWS) return (evaluation, length) => times(length, below(evaluation, 1))
    this.#items.set(node, (evaluation) => times(1, below(evaluation, 1)))
    return (evaluation) => times(1, below(evaluation, 1))
  }
}

function isListOf(type: GraphQLOutputType): boolean {
  return isListType(getNullableType(type))
}

/** The page size of an argument, clamped to what a page can have: the field itself refuses any other size, which then costs little. */
function pageSize(value: unknown): number | undefined {
  return typeof value === 'number' ? Math.min(Math.max(value, 0), MAXIMUM_PAGE_SIZE) : undefined
}
