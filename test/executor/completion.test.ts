// What goes wrong in resolvers and in what they answer is told as Yoga's executor tells it: compared over a schema in which everything can.
import { setImmediate as turn } from 'node:timers/promises'
import { normalizedExecutor } from '@graphql-tools/executor'
import fc from 'fast-check'
import {
  buildSchema,
  type ExecutionResult,
  getOperationAST,
  GraphQLError,
  type GraphQLFieldResolver,
  isObjectType,
  isUnionType,
  parse,
} from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { planOf } from '../../src/executor/plan.js'

const schema = buildSchema(`
  type Query { node: Node nonNull: Node! list: [Node] nonNullItems: [Node!] nonNullList: [Node!]! lists: [[Node!]] any: Any anyList: [Any!] plain: Int }
  type Node { int: Int nonNullInt: Int! ints: [Int] nonNullInts: [Int!]! node: Node nonNull: Node! list: [Node!] any: Any! method(times: Int! = 1): Int }
  type Other { text: String nonNullText: String! }
  union Any = Node | Other
`)

/** What a field can come to; \`deep\` stands for another object. */
type Value = { kind: 'value' | 'promise' | 'throw' | 'reject' | 'several' | 'error' | 'graphql' | 'list'; value: unknown }

let valueAt: (place: string) => Value = () => ({ kind: 'value', value: null })

// Yoga's executor leaves promises unheard that stand in a list beside what fails at once; what it does with them is not what is tested.
const ofRun = process.listeners('unhandledRejection')
beforeAll(() => void process.removeAllListeners('unhandledRejection').on('unhandledRejection', () => {}))
afterAll(() => {
  process.removeAllListeners('unhandledRejection')
  for (const listener of ofRun) process.on('unhandledRejection', listener)
})

/** Rejected, and heard where no executor looks at it, as in a list where none is expected. */
function rejected(error: Error): Promise<never> {
  const promise = Promise.reject(error)
  promise.catch(() => {})
  return promise
}

function resolved({ kind, value }: Value): unknown {
  switch (kind) {
    case 'value':
      return value
    case 'promise':
      return Promise.resolve(value)
    case 'throw':
      throw new Error(`thrown ${String(value)}`)
    case 'reject':
      return rejected(new Error(`rejected ${String(value)}`))
    case 'several':
      return rejected(new AggregateError([new Error('one'), new Error('two')]))
    case 'error':
      return new Error('returned')
    case 'graphql':
      throw new GraphQLError('refused', { extensions: { code: 'FORBIDDEN' } })
    case 'list':
      return Array.isArray(value) ? value.map((it: Value) => (['throw', 'graphql', 'several'].includes(it.kind) ? rejected(new Error('item')) : resolved(it))) : value
  }
}

const resolve: GraphQLFieldResolver<unknown, unknown> = (_source, _args, _context, { path }) => {
  let place = ''
  for (let at: typeof path | undefined = path; at; at = at.prev) place += `${at.key} `
  return resolved(valueAt(place))
}
for (const type of Object.values(schema.getTypeMap())) {
  if (isObjectType(type) && !type.name.startsWith('__')) {
    for (const field of Object.values(type.getFields())) if (!['plain', 'text', 'method'].includes(field.name)) field.resolve = resolve
  }
  if (isUnionType(type)) type.resolveType = (value) => (value === 'other' ? 'Other' : value === 'nobody' ? 'Nobody' : value === 'later' ? Promise.resolve('Node') : 'Node')
}

const NODE = '{ int nonNullInt ints nonNullInts node { int nonNullInt } nonNull { int list { nonNullInt } } list { int nonNullInt any { ... on Node { int } ... on Other { nonNullText } } } method }'
const DOCUMENT = `{ node ${NODE} nonNullish: node ${NODE} list ${NODE} nonNullItems ${NODE} lists { int nonNull { nonNullInt } } any { __typename ... on Node ${NODE} ... on Other { text nonNullText } } anyList { __typename ... on Other { text } } plain }`
const STRICT = `{ nonNull ${NODE} nonNullList { int nonNullInt } plain }`

function documentOf(query: string) {
  const document = parse(query)
  const operation = getOperationAST(document)
  const plan = operation && planOf({ schema, document }, operation)
  if (!plan) throw new Error('There is no plan.')
  return { document, plan }
}

function isResult(value: unknown): value is ExecutionResult {
  return typeof value === 'object' && value !== null && 'data' in value
}

/**
 * What an execution comes to, with all that is told of its errors. Of several below a place that is null because of them it depends
 * on their times which are told, so that only the place counts.
 */
async function told(executed: unknown): Promise<unknown> {
  const result: unknown = await executed
  const { data, errors = [] } = isResult(result) ? result : {}
  const shown = errors.map((error) => {
    const keys = error.path ?? []
    let at: unknown = data
    let depth = 0
    while (depth < keys.length && at !== null && at !== undefined) at = Reflect.get(Object(at), keys[depth++] ?? '')
    return JSON.stringify(depth === keys.length ? { ...error.toJSON(), original: error.originalError?.message } : { below: keys.slice(0, depth) })
  })
  return { data, errors: [...new Set(shown)].sort() }
}

async function expectTheSame(query: string, values: Value[]): Promise<void> {
  const { document, plan } = documentOf(query)
  // Both get the same values, by the places where they are asked for.
  valueAt = (place) => values[[...place].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 1_000_003, 7) % values.length] ?? { kind: 'value', value: 1 }
  const expected = await told(normalizedExecutor({ schema, document, contextValue: {} }))
  expect(await told(plan.execute({}, {})), JSON.stringify(values)).toEqual(expected)
}

describe('one failure', () => {
  const failures: Record<string, Value> = {
    'null': { kind: 'value', value: null },
    'a promise of null': { kind: 'promise', value: null },
    'thrown': { kind: 'throw', value: 1 },
    'rejected': { kind: 'reject', value: 1 },
    'several at once': { kind: 'several', value: 1 },
    'an error as a value': { kind: 'error', value: 1 },
    'an error of GraphQL': { kind: 'graphql', value: 1 },
    'a number that is none': { kind: 'value', value: 'many' },
    'not a list': { kind: 'value', value: 7 },
    'a function': { kind: 'value', value: () => 3 },
    'an object with a method': { kind: 'value', value: { method: ({ times }: { times: number }) => times } },
    'an unknown type': { kind: 'value', value: 'nobody' },
  }
  test.each(Object.entries(failures))('%s, wherever it is', async (_, failure) => {
    for (const query of [DOCUMENT, STRICT]) {
      for (let place = 0; place < 13; place += 1) {
        const values: Value[] = Array.from({ length: 13 }, (_, index) => (index === place ? failure : { kind: index % 3 === 0 ? 'promise' : 'value', value: index % 2 === 0 ? [1, 2] : 1 }))
        await expectTheSame(query, values)
      }
    }
  })
})

test('any of them together', async () => {
  const kinds: Value['kind'][] = ['value', 'promise', 'throw', 'reject', 'several', 'error', 'graphql']
  const leaf = fc.record({ kind: fc.constantFrom(...kinds), value: fc.constantFrom<unknown>(null, undefined, 1, 'many', 'other', 'nobody', 'later', {}, [1, 2], [], [null, 1]) })
  const value = fc.oneof({ weight: 4, arbitrary: leaf }, { weight: 1, arbitrary: fc.record({ kind: fc.constant<Value['kind']>('list'), value: fc.array(leaf, { maxLength: 3 }) }) })
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 25 }), fc.constantFrom(DOCUMENT, STRICT), async (values, query) => {
      await expectTheSame(query, values)
    }),
    { numRuns: 500 },
  )
})

/** The promises that failed while nobody waited for them. */
async function unheardOf(run: () => Promise<void>): Promise<unknown[]> {
  // What the tests before have left.
  await turn()
  const unheard: unknown[] = []
  const hear = (error: unknown) => void unheard.push(error)
  process.on('unhandledRejection', hear)
  await run()
  await turn()
  process.off('unhandledRejection', hear)
  return unheard
}

const late = () => Promise.reject(new Error('late'))

test('a list that has a failure in it leaves none of its promises unheard', async () => {
  const { plan } = documentOf('{ nonNullList { int } }')
  const unheard = await unheardOf(async () => {
    for (const items of [() => [null, late()], () => [late(), null], () => [late(), 1, late()]]) {
      valueAt = (place) => ({ kind: 'value', value: place === 'nonNullList ' ? items() : 1 })
      expect(await plan.execute({}, {})).toMatchObject({ data: null, errors: [{ path: ['nonNullList', expect.any(Number)] }] })
    }
  })
  expect(unheard).toEqual([])
})

test('an object of which a field fails at once waits for the fields before it, and tells their errors', async () => {
  const { plan } = documentOf('{ node { nonNull { int } node { int } nonNullInt } }')
  const values: Record<string, unknown> = { 'node ': 1, 'nonNull node ': 1, 'node node ': 1, 'int node node ': 'many', 'nonNullInt node ': null }
  const unheard = await unheardOf(async () => {
    valueAt = (place) => (place === 'nonNull node ' ? { kind: 'value', value: late() } : { kind: place === 'node node ' ? 'promise' : 'value', value: values[place] })
    const { data, errors = [] } = { data: undefined, ...(await plan.execute({}, {})) }
    expect(data).toEqual({ node: null })
    expect(errors.map(({ path }) => path)).toEqual([['node', 'node', 'int'], ['node', 'nonNullInt']])
  })
  expect(unheard).toEqual([])
})
