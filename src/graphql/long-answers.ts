import { defaultFieldResolver, getNamedType, getNullableType, type GraphQLFieldResolver, type GraphQLObjectType, type GraphQLSchema, isCompositeType, isIntrospectionType, isListType, isObjectType } from 'graphql'
import { isTurnOver, nextTurn } from '../request-scope/turns.js'
import type { Context } from './context.js'

/**
 * Wraps the resolvers of a schema so that long answers hold nobody up, whichever executor makes them: those of objects and lists wait for
 * the next turn of the event loop when this one is over, and those of lists pay for their items from the budget of the operation.
 */
export function boundLongAnswers(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || isIntrospectionType(type)) continue
    for (const field of Object.values(type.getFields())) bound(field)
  }
}

type Field = ReturnType<GraphQLObjectType['getFields']>[string]

function bound(field: Field): void {
  const resolve: Resolve = field.resolve ?? defaultFieldResolver
  const isList = isListType(getNullableType(field.type))
  const isObject = isCompositeType(getNamedType(field.type))
  // A property that is one object or value is no work, and comes too often to be wrapped.
  if (!isList && (!isObject || resolve === defaultFieldResolver)) return
  const paying = isList ? paid(resolve) : resolve
  field.resolve = isObject ? inTurns(paying) : paying
}

/** Without a context nobody is held up: the schema's own SDL is read so. */
type Resolve = GraphQLFieldResolver<unknown, Context | undefined>

function inTurns(resolve: Resolve): Resolve {
  return (source, args, context, info): unknown => {
    if (!context?.budget.isLong || !isTurnOver()) return resolve(source, args, context, info)
    return nextTurn().then(() => resolve(source, args, context, info))
  }
}

function paid(resolve: Resolve): Resolve {
  return (source, args, context, info): unknown => {
    const pay = (list: unknown): unknown => {
      if (Array.isArray(list)) context?.budget.spend(info.fieldNodes, list.length)
      return list
    }
    const list: unknown = resolve(source, args, context, info)
    return list instanceof Promise ? list.then(pay) : pay(list)
  }
}
