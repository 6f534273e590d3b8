import { type ExecutionArgs, getOperationAST, type OperationDefinitionNode } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { LRUCache } from 'lru-cache'
import { isRecord } from '../domain/is-record.js'
import { type Plan, planOf } from './plan.js'

/** Fields that are kept planned in all, each about a kilobyte. */
const MAX_PLANNED_FIELDS = 50_000
/** So many characters of source have a syntax tree about as large as the plan of a field. */
const CHARACTERS_PER_FIELD = 10

const UNPLANNED = { fields: 0 }

/**
 * Executes queries by a plan of what they are, which is kept for the next time; all else is executed as it would be without. README.md
 * says why, what a plan leaves out, and how it is held to the same answers.
 */
export function usePlannedExecution(): Plugin {
  const plans = new LRUCache<OperationDefinitionNode, Plan | typeof UNPLANNED>({
    maxSize: MAX_PLANNED_FIELDS,
    // A plan keeps the syntax tree of its whole document.
    sizeCalculation: ({ fields }, { loc }) => fields + Math.ceil((loc?.source.body.length ?? 0) / CHARACTERS_PER_FIELD) + 1,
  })

  function planFor(args: ExecutionArgs): Plan | undefined {
    const operation = getOperationAST(args.document, args.operationName)
    if (!operation) return undefined
    let plan = plans.get(operation)
    if (!plan) plans.set(operation, (plan = planOf(args, operation) ?? UNPLANNED))
    return 'execute' in plan ? plan : undefined
  }

  return {
    onExecute({ executeFn, setExecuteFn }) {
      setExecuteFn((args: ExecutionArgs): unknown => {
        const { contextValue } = args
        const plan = planFor(args)
        const answer = plan && isRecord(contextValue) ? plan.execute(args.variableValues ?? {}, contextValue) : undefined
        return answer ?? executeFn(args)
      })
    },
  }
}
