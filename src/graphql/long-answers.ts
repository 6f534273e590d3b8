import { defaultFieldResolver, getNullableType, type GraphQLFieldResolver, type GraphQLObjectType, type GraphQLSchema, isIntrospectionType, isListType, isObjectType } from 'graphql'
import { currentScope, type ExceededLimit } from '../request-scope/request-scope.js'
import { isTurnOver, nextTurn } from '../request-scope/turns.js'
import type { Context } from './context.js'

/**
 * Wraps the resolvers of a schema's lists so that long answers hold nobody up, whichever executor makes them: the items of a list wait for the
 * next turn of the event loop when this one is over, and are paid for from the budget of the operation.
 */
export function boundLongAnswers(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || isIntrospectionType(type)) continue
    for (const field of Object.values(type.getFields())) bound(field)
  }
}

type Field = ReturnType<GraphQLObjectType['getFields']>[string]
/** Without a context nobody is held up: the schema's own SDL is read so. */
type Resolve = GraphQLFieldResolver<unknown, Context | undefined>

function bound(field: Field): void {
  if (!isListType(getNullableType(field.type))) return
  const resolve: Resolve = field.resolve ?? defaultFieldResolver
  const bounded: Resolve = (source, args, context, info): unknown => {
    const pay = (list: unknown): unknown => {
      const exceeded = Array.isArray(list) ? context?.budget.spend(info.fieldNodes, list.length) : undefined
      if (exceeded) return refused(exceeded)
      // The list itself is resolved at once, so that what is read for it is read together with others.
      return context?.budget.isLong && isTurnOver() ? nextTurn().then(() => list) : list
    }
    const exceeded = context?.budget.exceeded
    if (exceeded) return refused(exceeded)
    const list: unknown = resolve(source, args, context, info)
    return list instanceof Promise ? list.then(pay) : pay(list)
  }
  field.resolve = bounded
}

/** The error of every list for which an operation has no budget. Made once, as there may be thousands, and making one takes long. */
const TOO_MANY = new Error('The operation has no budget for this list.')

/**
 * Ends an operation that has no budget for a list, so that the list's client gets one error for all of it. The list rejects, and does not
 * throw: executors give up a list at an item that throws, and what then becomes of its other items nobody hears.
 */
function refused(exceeded: ExceededLimit): Promise<never> {
  currentScope()?.interrupt('TOO_LARGE', exceeded)
  return Promise.reject(TOO_MANY)
}
