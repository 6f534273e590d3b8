import {
  buildASTSchema,
  getNamedType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isRequiredInputField,
  isUnionType,
  parse,
  print,
  visit,
} from 'graphql'
import { describe, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { dataOf } from './client.js'
import { companiesSdl } from './companies.js'
import { assessmentsSdl, type Compose, composeWithApollo, composeWithGuild } from './composition.js'
import { federationPage } from './federation-page.js'
import { withKey } from './supergraph.js'

/* ---- our names, in the groups of docs/federation.md ------------------------------------------- */

const document = parse(assessmentsSdl)
// The SDL of a subgraph uses directives that it does not declare.
const schema = buildASTSchema(document, { assumeValid: true })
const definitions = new Map(document.definitions.flatMap((it) => ('name' in it && it.name ? [[it.name.value, it] as const] : [])))
const roots = ['Query', 'Mutation', 'Subscription'].filter((name) => definitions.has(name))

const entities = federationPage.names('entities')
const sharedTypes = federationPage.names('shared types')
const interfaces = federationPage.names('interfaces')
const sharedEnums = federationPage.names('enums of inputs and answers')
const scalars = federationPage.names('scalars')
const inputs = federationPage.names('input types')
const inputEnums = federationPage.names('enums of inputs')
const outputEnums = federationPage.names('enums of answers')
const unions = federationPage.names('unions')
const listed = [...entities, ...sharedTypes, ...interfaces, ...sharedEnums, ...scalars, ...inputs, ...inputEnums, ...outputEnums, ...unions]
const unlisted = [...definitions.keys()].filter((name) => !listed.includes(name) && !roots.includes(name))

const partsOf = (name: string) => partsIn(schema, name)

/** The names of the fields, values or members of a type. */
function partsIn(within: GraphQLSchema | undefined, name: string): string[] {
  const type = within?.getType(name)
  if (isObjectType(type) || isInterfaceType(type) || isInputObjectType(type)) return Object.keys(type.getFields())
  if (isEnumType(type)) return type.getValues().map((value) => value.name)
  if (isUnionType(type)) return type.getTypes().map((member) => member.name)
  throw new Error(`The schema has no ${name} with parts.`)
}

function firstPartOf(name: string): string {
  const [first] = partsOf(name)
  if (first === undefined) throw new Error(`${name} is empty.`)
  return first
}

/* ---- other subgraphs that use them ------------------------------------------------------------- */

/** Our own definitions of these names and of all that they refer to, for another subgraph to repeat. */
function repeat(names: readonly string[]): string {
  const needed = new Set(names.filter((name) => definitions.has(name)))
  const printed: string[] = []
  for (const name of needed) {
    const definition = definitions.get(name)
    if (!definition) continue
    printed.push(print(definition))
    visit(definition, {
      NamedType(node) {
        if (definitions.has(node.name.value)) needed.add(node.name.value)
      },
    })
  }
  return printed.join('\n')
}

function composeOurs(compose: Compose, others: string) {
  const link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.6", import: ["@key", "@shareable", "@inaccessible"])'
  return compose([
    { name: 'assessments', url: 'http://assessments.test', sdl: assessmentsSdl },
    { name: 'others', url: 'http://others.test', sdl: others.includes('@link') ? others : `${link}\n${others}` },
  ])
}

interface Group {
  group: string
  names: string[]
}

/** Other definitions of our names, each of which must fail to compose. */
const refused: (Group & { sdl(name: string): string })[] = [
  {
    group: 'fields of our entities',
    names: entities,
    sdl: (name) => `type Query { others: ${name} } type ${name} @key(fields: "id") { id: ID! ${partsOf(name).at(-1)}: [Boolean] }`,
  },
  {
    group: 'shared types',
    names: sharedTypes,
    sdl: (name) => `type Query { others: ${name} } type ${name} @shareable { differs: String }`,
  },
  {
    group: 'interfaces',
    names: interfaces,
    sdl: (name) => `type Query { others: Own } interface ${name} { differs: String } type Own implements ${name} { differs: String }`,
  },
  {
    group: 'enums of inputs and answers',
    names: sharedEnums,
    sdl: (name) => `type Query { others: ${name} } enum ${name} { ${firstPartOf(name)} }`,
  },
  {
    group: 'objects that are ours alone',
    names: unlisted,
    sdl: (name) => `type Query { others: ${name} } type ${name} @shareable { differs: String }`,
  },
  ...roots.map((root) => ({
    group: `fields of ${root}`,
    names: partsOf(root),
    sdl: (field: string) => `type Query { others: String } ${root === 'Query' ? 'extend type' : 'type'} ${root} { ${field}: Boolean }`,
  })),
]

/** Other definitions of our names that compose all the same, and what clients then see of the type. */
const mixed: (Group & { other(name: string): { sdl: string; seen: string[] } })[] = [
  { group: 'input types', names: inputs, other: otherInput },
  {
    group: 'enums of inputs',
    names: inputEnums,
    other: (name) => ({
      sdl: `type Query { others(input: ${name}): String } enum ${name} { ${firstPartOf(name)} DIFFERS }`,
      seen: [firstPartOf(name)],
    }),
  },
  {
    group: 'enums of answers',
    names: outputEnums,
    other: (name) => ({ sdl: `type Query { others: ${name} } enum ${name} { DIFFERS }`, seen: [...partsOf(name), 'DIFFERS'] }),
  },
  {
    group: 'unions',
    names: unions,
    other: (name) => ({
      sdl: `type Query { others: ${name} } union ${name} = Own type Own { differs: String }`,
      seen: [...partsOf(name), 'Own'],
    }),
  },
]

/** An input type with what ours requires, or else with the first of our fields, and with one of its own. */
function otherInput(name: string): { sdl: string; seen: string[] } {
  const type = schema.getType(name)
  if (!isInputObjectType(type)) throw new Error(`${name} is not an input type.`)
  const fields = Object.values(type.getFields())
  const required = fields.filter(isRequiredInputField)
  const kept = required.length > 0 ? required : fields.slice(0, 1)
  return {
    sdl: `type Query { others(input: ${name}): String }
      input ${name} { ${kept.map((field) => `${field.name}: ${String(field.type)}`).join(' ')} differs: String }
      ${repeat(kept.map((field) => getNamedType(field.type).name))}`,
    seen: kept.map((field) => field.name),
  }
}

/* ---- tests ------------------------------------------------------------------------------------- */

test('the committed schema is the one that the gateway serves', async () => {
  const served = z.object({ _service: z.object({ sdl: z.string() }) })
  const { _service } = await dataOf(served, inject('gatewayUrl'), withKey, '{ _service { sdl } }')
  expect(_service.sdl.trim()).toBe(assessmentsSdl.trim())
})

test('docs/federation.md names each type of the schema once, but for the objects of this gateway alone', () => {
  expect(listed.toSorted()).toEqual([...new Set(listed)].toSorted())
  expect(listed.filter((name) => !definitions.has(name))).toEqual([])
  expect(unlisted.filter((name) => !isObjectType(schema.getType(name)))).toEqual([])
})

describe.each<{ composer: string; compose: Compose }>([
  { composer: '@apollo/composition', compose: composeWithApollo },
  { composer: '@theguild/federation-composition', compose: composeWithGuild },
])('$composer', ({ compose }) => {
  test('takes the schema and another subgraph without an error or a hint, and leaves out node and nodes', () => {
    const { errors, hints, clientSchema } = composeOurs(compose, companiesSdl)
    expect({ errors, hints }).toEqual({ errors: [], hints: [] })
    const ours = partsOf('Query').filter((field) => field !== 'node' && field !== 'nodes')
    expect(partsIn(clientSchema, 'Query').toSorted()).toEqual([...ours, 'companies'].toSorted())
  })

  test('takes another subgraph that repeats every shared type, interface and enum', () => {
    const fields = [...sharedTypes, ...sharedEnums, ...scalars].map((name, index) => `others${index}: ${name}`)
    const { errors, hints } = composeOurs(
      compose,
      `type Query { ${fields.join(' ')} own: Own }
      type Own implements Versioned & Node @key(fields: "id") {
        id: ID!
        version: Int!
        createdAt: DateTime!
        updatedAt: DateTime!
        history(before: String, after: String, first: Int, last: Int): RevisionConnection!
      }
      ${repeat([...sharedTypes, ...interfaces, ...sharedEnums, ...scalars])}`,
    )
    expect({ errors, hints }).toEqual({ errors: [], hints: [] })
  })

  test('takes another subgraph with a node of its own, which clients do not see either', () => {
    const { errors, clientSchema } = composeOurs(
      compose,
      'type Query { own: Own node(id: ID!): Node @shareable } interface Node { id: ID! } type Own implements Node { id: ID! }',
    )
    expect(errors).toEqual([])
    expect(partsIn(clientSchema, 'Query')).not.toContain('node')
  })

  test.each(refused)('refuses other definitions of $group', ({ names, sdl }) => {
    expect(names).not.toEqual([])
    expect(names.filter((name) => composeOurs(compose, sdl(name)).errors.length === 0)).toEqual([])
  })

  test.each(mixed)('mixes other definitions of $group into ours without a word', ({ names, other }) => {
    expect(names).not.toEqual([])
    for (const name of names) {
      const { sdl, seen } = other(name)
      const { errors, clientSchema } = composeOurs(compose, sdl)
      expect(errors, name).toEqual([])
      expect(partsIn(clientSchema, name).toSorted(), name).toEqual(seen.toSorted())
    }
  })

  test.each(scalars)('takes the scalar %s for the same', (name) => {
    expect(composeOurs(compose, `type Query { others: ${name} } scalar ${name}`).errors).toEqual([])
  })
})
