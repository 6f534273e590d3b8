import {
  getNamedType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedInputType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql'
import { type Arguments, withValueAt } from '../../test/documents.js'
import { type Kind, kindsOfName, kindsOfOwner } from '../../test/named-kinds.js'
import type { Names } from './world.js'

type Field = GraphQLField<unknown, unknown>

/** A value for the copy of a field with this number: copies name different rows where that matters. */
export type Choice = (copy: number) => unknown

/** A place among the arguments of a field, and what may stand there, the plainest first. */
export interface Place {
  path: string[]
  isRequired: boolean
  choices: Choice[]
}

/** What has been chosen, by place. */
export type Chosen = { path: string[]; choice: Choice }[]

/** Pages are sizes of the document, and expectations would only refuse. */
const LEFT_OUT = ['first', 'last', 'after', 'before', 'expectedVersion', 'expectedVersions', 'textScore', 'status']
/** A subscription without it would wait for a change. */
const SINCE = 'sinceVersion'
const TEXT_LENGTHS = [1, 2, 3, 100, 200, 1_000, 60_000]
const LIST_LENGTHS = [1, 10, 100, 1_000, 3_000]

/** Every place among the arguments of a field. */
export function placesOf(field: Field, names: Names): Place[] {
  return field.args.flatMap((arg) => placesBelow({ field, names }, arg.type, [arg.name], isRequiredArgument(arg) || arg.name === SINCE))
}

/** The variables of one copy of a field. */
export function argumentsOf(chosen: Chosen, copy: number): Arguments {
  return chosen.reduce<Arguments>((args, { path, choice }) => withValueAt(args, path, choice(copy)), {})
}

interface Owner {
  field: Field
  names: Names
}

function placesBelow(owner: Owner, type: GraphQLInputType, path: string[], isRequired: boolean): Place[] {
  const name = path.at(-1) ?? ''
  if (LEFT_OUT.includes(name) && !isRequired) return []
  if (isNonNullType(type)) return placesBelow(owner, type.ofType, path, isRequired)
  if (isListType(type)) {
    const items = itemChoices(owner, type.ofType, name)
    const lists = LIST_LENGTHS.flatMap((length) => items.map((item) => (copy: number) => Array.from({ length }, (_, index) => item(copy + index))))
    return [{ path, isRequired, choices: lists }]
  }
  if (isInputObjectType(type)) {
    return Object.values(type.getFields()).flatMap((it) => placesBelow(owner, it.type, [...path, it.name], isRequired && isRequiredInputField(it)))
  }
  return [{ path, isRequired, choices: leafChoices(owner, type, name) }]
}

/** What an item of a list may be: an object of all its fields with their plainest values, nested lists included. */
function itemChoices(owner: Owner, type: GraphQLInputType, name: string): Choice[] {
  const named = getNamedType(type)
  if (!isInputObjectType(named)) return leafChoices(owner, named, name)
  const fields = Object.values(named.getFields()).filter((it) => !LEFT_OUT.includes(it.name))
  return [
    (copy) =>
      Object.fromEntries(
        fields.map((it) => {
          const isList = isListType(isNonNullType(it.type) ? it.type.ofType : it.type)
          const [choice = () => null] = itemChoices(owner, it.type, it.name)
          return [it.name, isList ? Array.from({ length: 10 }, (_, index) => choice(index)) : choice(copy)]
        }),
      ),
  ]
}

function leafChoices({ field, names }: Owner, type: GraphQLNamedInputType, name: string): Choice[] {
  const kind = kindOf(name, type, field.name)
  const named = names[kind ?? name]
  if (named && named.length > 0) {
    return [(copy) => (type.name === 'Int' ? Number(named[copy % named.length]) : named[copy % named.length])]
  }
  if (isEnumType(type)) return type.getValues().map((value) => () => value.name)
  if (type.name === 'Boolean') return [() => true]
  if (type.name === 'Int') return [() => 0]
  if (type.name === 'Float') return [(copy) => 1 + (copy % 50)]
  if (type.name === 'DateTime') return [() => '2026-03-04T10:30:00.000Z']
  if (type.name === 'JSONObject') return [() => ({ text: 'm'.repeat(60_000) }), () => Object.fromEntries(Array.from({ length: 6_000 }, (_, key) => [`k${key}`, key]))]
  if (type.name === '_Any') {
    const entities = ['Assessment', 'AssessmentRecord', 'AssessmentTemplate', 'Entity', 'User', 'Organisation']
    return entities.map((entity) => (copy) => ({ __typename: entity, id: names[entity]?.[copy % (names[entity].length || 1)] }))
  }
  if (name === 'optionKey') return [(copy) => `o${1 + (copy % 10)}`]
  if (name === 'source') return [() => 'local']
  // A search finds everything that begins like this, or nothing after a long look.
  return TEXT_LENGTHS.map((length) => () => 'e'.padEnd(length, 'ntity '))
}

/** What an argument names, if it names anything. */
function kindOf(name: string, type: GraphQLNamedInputType, owner: string): Kind | undefined {
  const [kind] = kindsOfName[name] ?? []
  if (kind !== undefined || (type.name !== 'ID' && name !== 'sourcedId')) return kind
  const [, id, sourcedId] = kindsOfOwner.find(([part]) => owner.includes(part)) ?? []
  return (name === 'sourcedId' ? sourcedId : id) ?? 'Assessment'
}
