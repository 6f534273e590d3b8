// Documents written from the schema itself, so that no test can forget a new field, argument or mutation.
import {
  getNamedType,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedInputType,
  isAbstractType,
  isCompositeType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql'
import { schema } from '../src/server/schema.js'

/** Fields that find whatever is named, of any type: entities.test.ts tries them. */
const ofAnyType = ['_entities', '_service', 'node', 'nodes']

/** The fields of Query or Mutation, by name. */
export function rootFields(root: 'Query' | 'Mutation'): Record<string, GraphQLField<unknown, unknown>> {
  const type = root === 'Query' ? schema.getQueryType() : schema.getMutationType()
  if (!type) throw new Error(`The schema has no ${root}.`)
  return Object.fromEntries(Object.entries(type.getFields()).filter(([name]) => !ofAnyType.includes(name)))
}

/** One field of Query or Mutation. */
export function rootField(root: 'Query' | 'Mutation', name: string): GraphQLField<unknown, unknown> {
  const field = rootFields(root)[name]
  if (!field) throw new Error(`${root} has no field ${name}.`)
  return field
}

/** An operation on one field of Query or Mutation that takes each of its arguments as a variable. */
export function operation(root: 'Query' | 'Mutation', name: string, selection: string): string {
  const { args } = rootField(root, name)
  const variables = args.map((arg) => `$${arg.name}: ${String(arg.type)}`).join(', ')
  const passed = args.map((arg) => `${arg.name}: $${arg.name}`).join(', ')
  const keyword = root === 'Query' ? 'query' : 'mutation'
  return `${keyword} ${variables && `(${variables})`} { ${name}${passed && `(${passed})`} { ${selection} } }`
}

/**
 * Everything that can be selected of a type, relations `depth` levels deep. A connection is no
 * level of its own.
 *
 * @param versioned the type that stands for the interface Versioned, since fields of the same name
 *   are of other types in each
 */
export function everythingOf(type: GraphQLCompositeType, depth: number, versioned = 'Assessment'): string {
  if (isAbstractType(type)) {
    const members = schema.getPossibleTypes(type).filter(({ name }) => type.name !== 'Versioned' || name === versioned)
    return ['__typename', ...members.map((member) => `... on ${member.name} { ${everythingOf(member, depth, versioned)} }`)].join(' ')
  }
  if (!isObjectType(type)) return '__typename'
  const connection = type.name.endsWith('Connection')
  const fields = Object.values(type.getFields()).flatMap((field) => {
    if (field.args.some((arg) => isNonNullType(arg.type))) return []
    const of = getNamedType(field.type)
    if (!isCompositeType(of)) return [field.name]
    if (connection) return field.name === 'edges' ? ['edges { __typename cursor }'] : [`${field.name} { ${everythingOf(of, depth, versioned)} }`]
    return depth > 0 ? [`${field.name} { ${everythingOf(of, depth - 1, versioned)} }`] : []
  })
  return ['__typename', ...fields].join(' ')
}

/* ---- arguments --------------------------------------------------------------------------------- */

/** The variables of one root field. */
export type Arguments = Record<string, unknown>

/** A place in the arguments of a field that holds one value; a list stands for its first item. */
export interface Leaf {
  path: string[]
  type: GraphQLNamedInputType
}

/** Every place of `typeName` among the arguments of a field. */
export function leavesOf({ args }: GraphQLField<unknown, unknown>, typeName: string): Leaf[] {
  return args.flatMap((arg) => leavesBelow(arg.type, [arg.name])).filter(({ type }) => type.name === typeName)
}

function leavesBelow(type: GraphQLInputType, path: string[]): Leaf[] {
  if (isNonNullType(type)) return leavesBelow(type.ofType, path)
  if (isListType(type)) return leavesBelow(type.ofType, [...path, '0'])
  if (!isInputObjectType(type)) return [{ path, type }]
  return Object.values(type.getFields()).flatMap((field) => leavesBelow(field.type, [...path, field.name]))
}

/** What stands at a place. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => (isIndexable(at) ? at[key] : undefined), value)
}

/** A copy in which `leaf` stands at a place; what leads there is made where it is missing. */
export function withValueAt(value: Arguments, path: readonly string[], leaf: unknown): Arguments {
  const copy: unknown = structuredClone(value)
  let at = copy
  for (const [index, key] of path.entries()) {
    if (!isIndexable(at)) throw new Error(`Nothing can stand at ${path.join('.')}.`)
    if (index === path.length - 1) at[key] = leaf
    else at[key] ??= path[index + 1] === '0' ? [] : {}
    at = at[key]
  }
  if (!isIndexable(copy)) throw new Error('Arguments are an object.')
  return copy
}

function isIndexable(value: unknown): value is Arguments {
  return typeof value === 'object' && value !== null
}
