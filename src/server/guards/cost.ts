import type { DocumentNode, ExecutionArgs, ExecutionResult, GraphQLSchema } from 'graphql'
import { isAsyncIterable, type Plugin } from 'graphql-yoga'
import type { Context } from '../../graphql/context.js'
import { refusedByLimit } from '../../graphql/limit-exceeded.js'
import { asContext } from '../context.js'
import { CostPlan } from './cost-plan.js'
import { schemaLengths } from './schema-lengths.js'

/** So many values in the variables cost nothing: hardly any operation has more, unless its variables are lists. */
const FREE_VALUES = 100

/** Computes the cost of operations, and refuses those above `maximum`. */
export class CostLimit {
  readonly #plans = new WeakMap<DocumentNode, CostPlan>()
  readonly #lengths = new WeakMap<GraphQLSchema, Record<string, number>>()

  constructor(readonly maximum: number) {}

  /**
   * The cost of an operation: the number of values that its answer could hold at most. Each object and each leaf costs 1, and 1 more for
   * each 4,096 characters that it may hold. Below `nodes` and `edges`, costs count `first` or `last` times; below a list of ids or
   * representations, once for each of them. Lists inside of a row count once here, and for the rest of their items when they are read.
   * Each value in the variables costs 1, but for the first few.
   *
   * The cost is also opened as the budget of the context. It is a promise if the assessments of the organisation must be counted.
   */
  of({ document, operationName, schema, variableValues, contextValue }: ExecutionArgs): number | Promise<number> {
    const context = asContext(contextValue)
    const plan = this.#planOf(schema, document)
    const given = Math.max(0, valuesIn(variableValues, this.maximum) - FREE_VALUES)
    const compute = (assessments?: number) => {
      const evaluation = plan.evaluation(operationName, variableValues ?? {}, assessments)
      const { each, once } = plan.cost(operationName, evaluation)
      context.budget.open({ maximum: this.maximum, values: each, extra: once + given, rootFields: plan.rootFields(operationName), valuesPerItem: (list) => plan.costOfItem(list, evaluation) })
      return { cost: Math.ceil(each + once + given), needsAssessments: evaluation.needsAssessments }
    }
    const { cost, needsAssessments } = compute()
    return needsAssessments && cost <= this.maximum ? countAssessments(context).then((count) => compute(count).cost) : cost
  }

  #planOf(schema: GraphQLSchema, document: DocumentNode): CostPlan {
    const known = this.#plans.get(document)
    if (known) return known
    const lengths = this.#lengths.get(schema) ?? schemaLengths(schema)
    this.#lengths.set(schema, lengths)
    const plan = new CostPlan(schema, lengths, document)
    this.#plans.set(document, plan)
    return plan
  }

  /** The `extensions` of the response. */
  extension(requested: number): { cost: { requested: number; maximum: number } } {
    return { cost: { requested, maximum: this.maximum } }
  }

  refusal(requested: number): ExecutionResult | undefined {
    if (requested <= this.maximum) return undefined
    const message = `An operation may cost at most ${this.maximum}, not ${requested}. Ask for fewer or smaller pages.`
    return { errors: [refusedByLimit('cost', this.maximum, message)], extensions: this.extension(requested) }
  }
}

/** How many values there are in a JSON value, itself among them. Does not count on when there are more than `maximum`. */
function valuesIn(value: unknown, maximum: number): number {
  let count = 0
  // Without recursion, because values may be nested deeper than the call stack is.
  const left = [value]
  while (left.length > 0 && count <= maximum) {
    const next = left.pop()
    count += 1
    if (typeof next !== 'object' || next === null) continue
    for (const item of Array.isArray(next) ? next : Object.values(next)) left.push(item)
  }
  return count
}

/** Counts the assessments of the viewer's organisation: a refresh without ids tells of all. */
function countAssessments({ store, viewer }: Context): Promise<number> {
  return store.assessment.count({ where: { organisationId: viewer.organisation.id } })
}

type ExecuteHook = Awaited<ReturnType<NonNullable<Plugin['onExecute']>>>

/** Refuses operations that cost too much before they are executed. The response to any other has its cost in `extensions.cost`. */
export function useCostLimit(limit: CostLimit): Plugin {
  return {
    onExecute({ args, setResultAndStopExecution }) {
      const judge = (requested: number): ExecuteHook => {
        const refusal = limit.refusal(requested)
        if (refusal) return setResultAndStopExecution(refusal)
        return {
          onExecuteDone({ result, setResult }) {
            if (!isAsyncIterable(result)) setResult({ ...result, extensions: { ...result.extensions, ...limit.extension(requested) } })
          },
        }
      }
      const cost = limit.of(args)
      return typeof cost === 'number' ? judge(cost) : cost.then(judge)
    },
    async onSubscribe({ args, setResultAndStopExecution }) {
      const refusal = limit.refusal(await limit.of(args))
      if (refusal) setResultAndStopExecution(refusal)
    },
  }
}
