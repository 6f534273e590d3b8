// What a client could send at a place of an input type: mostly what is meant there, sometimes anything else.
import fc, { type Arbitrary } from 'fast-check'
import {
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLInputType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql'
import { type Kind, kinds, kindsOfName, kindsOfOwner } from '../named-kinds.js'
import { Named, nameIn, type World } from './world.js'

/** `tame`: what the place is meant for; `odd`: of the right type, at its edges; `wild`: of any type. */
export type Mood = 'tame' | 'odd' | 'wild'

/** A number as JSON or GraphQL writes it, which JavaScript could not tell or would not write. */
export class Written {
  constructor(readonly text: string) {}
}

/** A value for each argument of a field; optional ones may be left out. */
export function argumentsOf(args: readonly (GraphQLArgument | GraphQLInputField)[], owner: string, mood: Mood): Arbitrary<Record<string, unknown>> {
  const entries = args.map((arg) => [arg.name, valueOf(arg.type, arg.name, owner, mood)] as const)
  const required = args.filter((arg) => ('args' in arg ? isRequiredArgument(arg) : isRequiredInputField(arg)) && mood !== 'wild')
  const record = fc.record(Object.fromEntries(entries), { requiredKeys: required.map(({ name }) => name) })
  return mood === 'wild' ? rarely(record, record.map((all) => ({ ...all, unknownField: 1 })), 20) : record
}

/**
 * A value for one place.
 *
 * @param name of the argument or input field
 * @param owner the field or input type that has it
 */
export function valueOf(type: GraphQLInputType, name: string, owner: string, mood: Mood): Arbitrary<unknown> {
  const meant = meantFor(type, name, owner, mood)
  return mood === 'wild' ? rarely(meant, anything, 6) : meant
}

function meantFor(type: GraphQLInputType, name: string, owner: string, mood: Mood): Arbitrary<unknown> {
  if (isNonNullType(type)) return meantFor(type.ofType, name, owner, mood)
  if (isListType(type)) return listOf(valueOf(type.ofType, name, owner, mood), mood)
  if (isInputObjectType(type)) return argumentsOf(Object.values(type.getFields()), type.name, mood)
  if (isEnumType(type)) return fc.constantFrom(...type.getValues().map((value) => value.name))
  const tame = tameValues(type.name, name, owner)
  return mood === 'tame' ? tame : rarely(tame, oddValues(type.name), 3)
}

function listOf(item: Arbitrary<unknown>, mood: Mood): Arbitrary<unknown> {
  const short = fc.array(item, { maxLength: 3 })
  if (mood === 'tame') return short
  const repeated = fc.tuple(item, fc.constantFrom(2, 101, 1001)).map(([one, times]) => {
    // A request has a size that it may have, which is not what is tested here.
    const room = Math.floor(500_000 / fc.stringify(one).length)
    return Array.from({ length: Math.min(times, room) }, () => one)
  })
  return fc.oneof({ weight: 8, arbitrary: short }, { weight: 1, arbitrary: item }, { weight: 1, arbitrary: repeated })
}

function rarely<One, Other>(usual: Arbitrary<One>, other: Arbitrary<Other>, in1: number): Arbitrary<One | Other> {
  return fc.oneof({ weight: in1 - 1, arbitrary: usual }, { weight: 1, arbitrary: other })
}

/* ---- what is meant ------------------------------------------------------------------------------- */

function named(of: readonly Kind[], whose: Named['whose'] = 'ours'): Arbitrary<Named> {
  return fc.tuple(fc.constantFrom(...of), fc.nat({ max: 4 })).map(([kind, index]) => new Named(kind, index, whose))
}

function tameValues(type: string, name: string, owner: string): Arbitrary<unknown> {
  if (type === 'ID') {
    const [, id, sourcedId] = kindsOfOwner.find(([part]) => owner.includes(part)) ?? []
    const own = name === 'sourcedId' ? sourcedId : name === 'id' ? id : undefined
    return named(kindsOfName[name] ?? (own ? [own] : kinds))
  }
  if (type === 'DateTime') return fc.date({ min: new Date('2020-01-01'), max: new Date(), noInvalidDate: true }).map((date) => date.toISOString())
  if (type === 'Boolean') return fc.boolean()
  if (type === 'Float') return fc.oneof(fc.double({ min: 0, max: 100, noNaN: true }), fc.nat({ max: 100 }))
  if (type === 'Int') return fc.nat({ max: name === 'first' || name === 'last' ? 5 : 3 })
  if (type === 'JSONObject') return fc.dictionary(fc.string({ maxLength: 3 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }).map(onlyJson)
  if (name === 'optionKey') return fc.constantFrom('none', 'some', 'high', null)
  if (name === 'textScore') return fc.constantFrom('A', 'B')
  if (name === 'after' || name === 'before') return fc.constant(null)
  if (name === 'source') return fc.constantFrom('case', 'local')
  if (type === '_Any') return namedEntity
  return fc.string({ minLength: 1, maxLength: 8 })
}

/** A representation for `_entities`. */
const namedEntity = fc
  .constantFrom('Organisation', 'Entity', 'AssessmentTemplate', 'Assessment', 'AssessmentRecord', 'User', 'AssessmentResult')
  .chain((type) => fc.record({ __typename: fc.constantFrom(type), id: named(kinds.filter((kind) => kind === type)) }))

/** JSON as it is after a round trip, so that -0 and the like are what they will be read as. */
function onlyJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

/* ---- the edges ----------------------------------------------------------------------------------- */

const texts = [
  '', ' ', '\u0000', 'a\u0000b', '\ud800', 'a\udc00b', '\u{1f600}', '\u{10ffff}', '\ufeff', '\uffff', '\u202eabc\u202c', 'שלום', 'e\u0301\u0301\u0301',
  'ﷺ', 'İ', 'ß', '\r\n', '\t', '\u2028', '%', '_', '\\', "'", '"', '$1', '${x}', '{}', "' OR 1=1 --", 'null', 'NaN', 'Infinity', '-0', '__proto__',
  'a'.repeat(100), 'a'.repeat(101), '\u{1f600}'.repeat(200), '\u{1f600}'.repeat(201), 'a'.repeat(255), 'a'.repeat(256), 'ä'.repeat(65_536), 'a'.repeat(70_000),
]
const anyText = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...texts) }, { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) })

const cursors = [[], [null], ['', null], [1, 2, 3], {}, '\u0000', ['AAAAAAAA', '2026-01-01T00:00:00.000Z', 'x']].map((json) => Buffer.from(JSON.stringify(json)).toString('base64url'))

const dates = [
  '0001-01-01T00:00:00.000Z', '0000-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999-14:00', '0001-01-01T00:00:00+14:00',
  '1969-12-31T23:59:59.999999999Z', '2026-02-30T00:00:00Z', '2024-02-29T23:59:60Z', '2026-03-04T24:00:00Z', '2026-03-04t10:30:00z', '2026-03-04', '2026-03-04T10:30:00',
  '+010000-01-01T00:00:00Z', '-000001-01-01T00:00:00Z', '275760-09-13T00:00:00.001Z', '', 'now', 'infinity', '-infinity', 'epoch',
]

const numbers = [
  '0', '-0', '-1', '1e-400', '5e-324', '1e308', '1.7976931348623157e308', '1e400', '-1e400', '9007199254740993', '-9007199254740993', '0.1', '100.00000000000001',
  '100', '101', '1e2', '2147483647', '2147483648', '-2147483648', '-2147483649', '1e21', '0.30000000000000004',
]
const anyNumber = fc.oneof(fc.constantFrom(...numbers).map((text) => new Written(text)), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer())

const uuids = [
  '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF', '0', '-1', '2147483648',
  '9223372036854775808', '99999999999999999999', '00000000000000000000000000000000', '{00000000-0000-0000-0000-000000000000}',
  '00000000-0000-0000-0000-00000000000g', '00000000-0000-0000-0000-000000000000 ', '٣',
]
const anyId = fc.oneof(
  { weight: 3, arbitrary: named(kinds) },
  { weight: 3, arbitrary: named(kinds, 'theirs') },
  { weight: 2, arbitrary: fc.constantFrom(...uuids) },
  { weight: 1, arbitrary: fc.uuid() },
  { weight: 1, arbitrary: anyText },
  { weight: 1, arbitrary: fc.integer() },
)

/** Keys that mean something to JavaScript, to Prisma or to nobody. */
const keys = ['__proto__', 'constructor', 'prototype', 'toJSON', 'toString', 'then', '$type', 'value', 'set', 'increment', 'equals', '', '\u0000', '\ud800', 'ключ', 'a.b', '0']
const anyKey = fc.constantFrom(...keys)

const { json: anyJson } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constant(null), fc.boolean(), anyText, anyNumber,
    fc.array(tie('json'), { maxLength: 3 }),
    fc.array(fc.tuple(anyKey, tie('json')), { maxLength: 3 }).map(objectOf),
  ),
}))
const anyObject = fc.oneof(
  { weight: 6, arbitrary: fc.array(fc.tuple(anyKey, anyJson), { maxLength: 4 }).map(objectOf) },
  { weight: 1, arbitrary: fc.constantFrom(99, 100, 101, 500).map((levels) => nested(levels)) },
  { weight: 1, arbitrary: fc.constantFrom(65_520, 65_540).map((length) => ({ text: 'x'.repeat(length) })) },
)

/** An object that has `__proto__` as a key, as JSON.parse makes it. */
function objectOf(entries: (readonly [string, unknown])[]): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (const [key, value] of entries) Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
  return object
}

function nested(levels: number): Record<string, unknown> {
  let value: Record<string, unknown> = {}
  for (let level = 1; level < levels; level += 1) value = level % 2 ? { a: value } : { a: [value] }
  return value
}

/** Anything at all, of whatever type. */
const anything = fc.oneof(fc.constant(null), fc.boolean(), anyNumber, anyText, anyId, anyObject, fc.array(anyJson, { maxLength: 2 }))

function oddValues(type: string): Arbitrary<unknown> {
  if (type === 'ID') return anyId
  if (type === 'DateTime') return fc.oneof(fc.constantFrom(...dates), fc.date({ noInvalidDate: true }).map((date) => date.toISOString()))
  if (type === 'Float' || type === 'Int') return fc.oneof(anyNumber, fc.constant(null))
  if (type === 'JSONObject') return fc.oneof(anyObject, fc.constant(null))
  if (type === 'String') return fc.oneof({ weight: 4, arbitrary: anyText }, { weight: 1, arbitrary: fc.constantFrom(...cursors) }, { weight: 1, arbitrary: fc.constant(null) })
  if (type === '_Any') return anyObject.map((object) => ({ __typename: 'User', ...object }))
  return fc.oneof(fc.boolean(), fc.constant(null))
}

/* ---- how it is sent ------------------------------------------------------------------------------ */

/** The value as JSON text, names as they are in this world. */
export function jsonOf(world: World, value: unknown): string {
  if (value instanceof Named) return JSON.stringify(nameIn(world, value))
  if (value instanceof Written) return value.text
  if (Array.isArray(value)) return `[${value.map((item) => jsonOf(world, item)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${jsonOf(world, item)}`).join(',')}}`
}

/** The value as a literal of GraphQL, for a place of this type. */
export function literalOf(world: World, value: unknown, type: GraphQLInputType | null): string {
  if (type && isNonNullType(type)) return literalOf(world, value, type.ofType)
  const item = type && isListType(type) ? type.ofType : null
  if (Array.isArray(value)) return `[${value.map((one) => literalOf(world, one, item)).join(' ')}]`
  if (item) return literalOf(world, value, item)
  if (value instanceof Named || value instanceof Written || typeof value !== 'object' || value === null) {
    return type && isEnumType(type) && typeof value === 'string' && /^[A-Z_]+$/.test(value) ? value : jsonOf(world, value)
  }
  const fields = type && isInputObjectType(type) ? type.getFields() : {}
  return `{${Object.entries(value).map(([key, one]) => `${key}: ${literalOf(world, one, fields[key]?.type ?? null)}`).join(' ')}}`
}
