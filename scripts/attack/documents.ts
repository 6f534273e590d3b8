import {
  getNamedType,
  getNullableType,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  isAbstractType,
  isCompositeType,
  isListType,
  isObjectType,
  isRequiredArgument,
  SchemaMetaFieldDef,
  TypeMetaFieldDef,
} from 'graphql'
import { schema } from '../../src/server/schema.js'
import { argumentsOf, type Chosen } from './arguments.js'
import type { Document } from './gateway.js'

type Field = GraphQLField<unknown, unknown>

/** A root field: each is a kind of operation. */
export interface Kind {
  operation: 'query' | 'mutation' | 'subscription'
  field: Field
}

/** Every root field of the schema, and those that the schema has for itself. */
export function kinds(): Kind[] {
  const below = (operation: Kind['operation'], type: GraphQLObjectType | null | undefined) =>
    Object.values(type?.getFields() ?? {}).map((field) => ({ operation, field }))
  return [
    ...below('query', schema.getQueryType()),
    ...[SchemaMetaFieldDef, TypeMetaFieldDef].map((field): Kind => ({ operation: 'query', field })),
    ...below('mutation', schema.getMutationType()),
    ...below('subscription', schema.getSubscriptionType()),
  ]
}

/** A way from a root field down to objects of a type: the fields in between, and of which type each object on it is. */
export interface Way {
  steps: { on: GraphQLObjectType; field: Field }[]
  type: GraphQLObjectType
}

const MAX_STEPS = 10
const MAX_LISTS = 3

const isList = ({ type }: Field) => isListType(getNullableType(type))

/** A shortest way to each type through each number of lists. */
export function waysFrom({ field }: Kind): Way[] {
  const ways: Way[] = objectsOf(getNamedType(field.type)).map((type) => ({ steps: [], type }))
  const key = ({ steps, type }: Way) => `${type.name} ${steps.filter((it) => isList(it.field)).length}`
  const seen = new Set(ways.map(key))
  // Ways are added while they are walked through.
  for (const way of ways) {
    if (way.steps.length >= MAX_STEPS) continue
    for (const next of Object.values(way.type.getFields())) {
      if (next.args.some(isRequiredArgument)) continue
      for (const type of objectsOf(getNamedType(next.type))) {
        const longer = { steps: [...way.steps, { on: way.type, field: next }], type }
        if (longer.steps.filter((it) => isList(it.field)).length > MAX_LISTS || seen.has(key(longer))) continue
        seen.add(key(longer))
        ways.push(longer)
      }
    }
  }
  return ways
}

/** The types of the objects that may stand there, but for errors. */
function objectsOf(type: GraphQLNamedType): GraphQLObjectType[] {
  if (isObjectType(type)) return [type]
  return isAbstractType(type) ? schema.getPossibleTypes(type).filter((it) => !isError(it)) : []
}

/** Whether objects of the type say why something was not done. They are small. */
export function isError(type: GraphQLObjectType): boolean {
  return type.getInterfaces().some(({ name }) => name === 'Error')
}

/** What can be chosen of an object that is no object itself. */
export function leavesOf({ type }: Way): string[] {
  const fields = Object.values(type.getFields()).filter((it) => !isCompositeType(getNamedType(it.type)) && !it.args.some(isRequiredArgument))
  return ['__typename', ...fields.map(({ name }) => name)]
}

/** How large a document is: the size of its pages, and how often its leaves, its last list and its root stand in it. */
export interface Size {
  page: number
  leaves: number
  lists: number
  roots: number
}

/** The parts of a size that make a document larger. */
export function partsOf({ kind, way }: Plan): (keyof Size)[] {
  const pages = way.steps.filter(({ field }) => takesPage(field)).length
  return ['leaves', 'roots', ...(pages > 0 ? ['lists' as const] : []), ...(pages > 0 || takesPage(kind.field) ? ['page' as const] : [])]
}

/** A document without its size. */
export interface Plan {
  kind: Kind
  chosen: Chosen
  way: Way
  leaves: string[]
}

/**
 * Writes a document.
 *
 * @param run whether it is to be executed; if not, the answer tells what it costs
 */
export function written({ kind, chosen, way, leaves }: Plan, size: Size, run = true): Document {
  const copies = (count: number, selection: string) => (count === 1 ? [selection] : Array.from({ length: count }, (_, copy) => `c${copy}: ${selection}`))
  const fragments = [`fragment Leaves on ${way.type.name} { ${leaves.flatMap((leaf) => (size.leaves === 1 ? leaf : copies(size.leaves, leaf).map((it) => `${leaf}_${it}`))).join(' ')} }`]
  const repeated = way.steps.findLastIndex(({ field }) => takesPage(field))
  const inner = way.steps.reduceRight((below, { on, field }, index) => {
    const selection = `${field.name}${takesPage(field) ? `(first: ${size.page})` : ''} { ${below} }`
    if (index !== repeated) return `... on ${on.name} { ${selection} }`
    fragments.push(`fragment List on ${getNamedType(field.type).name} { ${below} }`)
    const spread = `${field.name}(first: ${size.page}) { ...List }`
    return `... on ${on.name} { ${copies(size.lists, spread).join(' ')} }`
  }, '...Leaves')
  fragments.push(`fragment Below on ${getNamedType(kind.field.type).name} { ${inner} }`)

  const declared: string[] = run || kind.operation === 'subscription' ? [] : ['$run: Boolean!']
  const variables: Record<string, unknown> = declared.length > 0 ? { run: false } : {}
  const roots = Array.from({ length: size.roots }, (_, copy) => {
    const args = argumentsOf(chosen, copy)
    const passed = kind.field.args.flatMap(({ name, type }) => {
      if (name === 'first') return [`first: ${size.page}`]
      if (!(name in args)) return []
      declared.push(`$${name}${copy}: ${String(type)}`)
      variables[`${name}${copy}`] = args[name]
      return [`${name}: $${name}${copy}`]
    })
    const condition = 'run' in variables ? ' @include(if: $run)' : ''
    return `${kind.field.name}${passed.length > 0 ? `(${passed.join(', ')})` : ''}${condition} { ...Below }`
  })
  const head = `${kind.operation}${declared.length > 0 ? ` (${declared.join(', ')})` : ''}`
  const root = roots.length === 1 ? roots.join('') : roots.map((it, copy) => `r${copy}: ${it}`).join(' ')
  return { query: `${head} { ${root} } ${fragments.join(' ')}`, variables }
}

function takesPage({ args }: Field): boolean {
  return args.some(({ name }) => name === 'first')
}

/** A way in words: the names of its fields. */
export function nameOf({ kind, way }: Pick<Plan, 'kind' | 'way'>): string {
  return [kind.field.name, ...way.steps.map(({ field }) => field.name)].join('.')
}
