import { randomUUID } from 'node:crypto'
import { isInterfaceType, isUnionType } from 'graphql'
import { describe, expect, test } from 'vitest'
import type { Scope } from '../../src/domain/scopes.js'
import { MAXIMUM_REPRESENTATIONS } from '../../src/graphql/federation.js'
import { schema } from '../../src/server/schema.js'
import { type Answer, request, statementsOf } from '../gateway.js'
import { anOrganisation, type Story } from '../story.js'

const ENTITIES = `query ($representations: [_Any!]!) {
  _entities(representations: $representations) {
    __typename
    ... on Assessment { id version entity { id } sections { title } }
    ... on AssessmentTemplate { id name }
    ... on AssessmentRecord { id user { id } }
    ... on AssessmentResult { id resultSourcedId: sourcedId student { id } }
    ... on Entity { id name }
    ... on Organisation { id name }
    ... on User { id userSourcedId: sourcedId }
  }
}`
const NODES = 'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }'

/** A row of each type, by the keys that name it. */
async function rowsOf(org: Story) {
  const [assessment, record, result, user, folder, scale, lineItem] = [
    await org.assessment(),
    await org.record(),
    await org.result(),
    await org.user(),
    await org.folder(),
    await org.scale(),
    await org.lineItem(),
  ]
  const template = await org.template()
  return {
    keys: [
      { __typename: 'Assessment', id: assessment.id },
      { __typename: 'AssessmentTemplate', id: assessment.templateId },
      { __typename: 'AssessmentRecord', id: record.id },
      { __typename: 'AssessmentResult', id: result.id },
      { __typename: 'AssessmentResult', sourcedId: result.sourcedId },
      { __typename: 'Entity', id: assessment.entityId },
      { __typename: 'Organisation', id: org.id },
      { __typename: 'User', id: user.id },
      { __typename: 'User', sourcedId: user.sourcedId },
    ],
    nodes: [
      { __typename: 'Assessment', id: assessment.id },
      { __typename: 'AssessmentTemplate', id: assessment.templateId },
      { __typename: 'Outcome', id: template.outcomes[0]?.id },
      { __typename: 'AssessmentRecord', id: record.id },
      { __typename: 'Folder', id: folder.id },
      { __typename: 'AssessmentResult', id: result.id },
      { __typename: 'AssessmentLineItem', id: lineItem.id },
      { __typename: 'ScoreScale', id: scale.id },
      { __typename: 'Entity', id: assessment.entityId },
      { __typename: 'Organisation', id: org.id },
      { __typename: 'User', id: user.id },
    ],
  }
}

describe('_entities', () => {
  test('finds a row of each entity type by each of its keys, in the order asked for', async () => {
    const org = await anOrganisation()
    const { keys } = await rowsOf(org)
    const { data, errors } = await org.request(ENTITIES, { representations: keys })
    expect(errors).toBeUndefined()
    expect(data?.['_entities']).toEqual(keys.map(({ __typename }): unknown => expect.objectContaining({ __typename })))
    const union = schema.getType('_Entity')
    if (!isUnionType(union)) throw new Error('The schema has no entities.')
    expect(new Set(keys.map(({ __typename }) => __typename))).toEqual(new Set(union.getTypes().map(({ name }) => name)))
  })

  test('a key may be a number, as an ID may, and is the one that is there', async () => {
    const org = await anOrganisation()
    const user = await org.user({ sourcedId: '12345' })
    const representations = [{ sourcedId: 12345 }, { id: null, sourcedId: '12345' }, { id: user.id, sourcedId: null }, { id: null, sourcedId: null }, { sourcedId: 2 ** 53 }]
    const { data, errors } = await org.request('query ($all: [_Any!]!) { _entities(representations: $all) { ... on User { id } } }', {
      all: representations.map((key) => ({ __typename: 'User', ...key })),
    })
    expect(errors).toBeUndefined()
    expect(data?.['_entities']).toEqual([{ id: user.id }, { id: user.id }, { id: user.id }, null, null])
  })

  test('a malformed, unknown or foreign key and an unknown type give null for themselves alone', async () => {
    const [org, other] = [await anOrganisation(), await anOrganisation()]
    const [{ keys }, foreign] = [await rowsOf(org), await rowsOf(other)]
    const bad: unknown[] = [
      ...foreign.keys,
      { __typename: 'Assessment', id: 'nonsense' },
      { __typename: 'Assessment', id: 7 },
      { __typename: 'Assessment' },
      { __typename: 'User', sourcedId: '\u0000' },
      { __typename: 'Entity', id: randomUUID() },
      { __typename: 'Viewer', id: randomUUID() },
      { __typename: 'Nothing', id: randomUUID() },
      { id: randomUUID() },
      5,
    ]
    const { data, errors } = await org.request(ENTITIES, { representations: [...bad, keys[0]] })
    expect(errors).toBeUndefined()
    expect(data?.['_entities']).toEqual([...bad.map(() => null), expect.objectContaining(keys[0])])
  })

  test('100 representations of a type cost as many statements as one', async () => {
    const org = await anOrganisation()
    await org.question()
    await org.question()
    const assessments = []
    for (let index = 0; index < 100; index += 1) {
      assessments.push({ __typename: 'Assessment', id: (await org.assessment({ templateId: (await org.template()).id })).id })
    }
    const count = async (representations: object[]) => (await statementsOf(() => org.request(ENTITIES, { representations }))).length
    // The credential, and the rows with what they select.
    expect(await count(assessments.slice(0, 1))).toBe(2)
    expect(await count(assessments)).toBe(2)
  })

  test('a type’s scope is needed, for its own items alone', async () => {
    const org = await anOrganisation()
    const { keys } = await rowsOf(org)
    const { data, errors } = await request(await org.keyWith(['RECORDS_READ']), ENTITIES, { representations: keys })
    const scoped = ['Assessment', 'AssessmentResult']
    expect(data?.['_entities']).toEqual(
      keys.map(({ __typename }): unknown => (scoped.includes(__typename) ? null : expect.objectContaining({ __typename }))),
    )
    expect(new Set(errors?.map(({ extensions }) => extensions?.['requiredScope']))).toEqual(new Set(['ASSESSMENTS_READ', 'RESULTS_READ']))
  })

  test('a type’s scope is needed before anything is looked up, so that nothing tells whether a row exists', async () => {
    const [org, other] = [await anOrganisation(), await anOrganisation()]
    const [own, foreign] = [await rowsOf(org), await rowsOf(other)]
    const scopeOf: Record<string, Scope> = { Assessment: 'ASSESSMENTS_READ', AssessmentRecord: 'RECORDS_READ', AssessmentResult: 'RESULTS_READ' }
    const unknown = Object.keys(scopeOf).flatMap((__typename) => [{ __typename, id: randomUUID() }, { __typename, id: 'nonsense' }, { __typename }])
    const representations = [...own.keys, ...foreign.keys, ...unknown].filter(({ __typename }) => __typename in scopeOf)
    const key = await org.keyWith([])
    const lookUp = await statementsOf(() => request(key, '{ __typename }'))
    const statements = await statementsOf(async () => {
      const { data, errors } = await request(key, 'query ($all: [_Any!]!) { _entities(representations: $all) { __typename } }', { all: representations })
      expect(data).toEqual({ _entities: representations.map(() => null) })
      expect(errors?.map(({ path, extensions }) => ({ path, ...extensions }))).toEqual(
        representations.map(({ __typename }, index) => ({ path: ['_entities', index], code: 'FORBIDDEN', requiredScope: scopeOf[__typename] })),
      )
    })
    expect(statements).toEqual(lookUp)
  })

  test('more representations than allowed are refused before any is looked up', async () => {
    const org = await anOrganisation()
    const representations = Array.from({ length: MAXIMUM_REPRESENTATIONS + 1 }, () => ({ __typename: 'Entity', id: randomUUID() }))
    const statements = await statementsOf(async () => {
      const { errors } = await org.request(ENTITIES, { representations })
      expect(errors?.[0]?.extensions?.['code']).toBe('BAD_USER_INPUT')
    })
    expect(statements).toHaveLength(1)
  })
})

describe('node and nodes', () => {
  test('find whatever implements Node by its id alone', async () => {
    const org = await anOrganisation()
    const { nodes } = await rowsOf(org)
    expect((await org.request(NODES, { ids: nodes.map(({ id }) => id) })).data?.['nodes']).toEqual(nodes)
    const node = schema.getType('Node')
    if (!isInterfaceType(node)) throw new Error('The schema has no interface Node.')
    const implementations = schema.getImplementations(node).objects
    expect(new Set(nodes.map(({ __typename }) => __typename))).toEqual(new Set(implementations.map(({ name }) => name)))
    for (const { id, __typename } of nodes) {
      const { data } = await org.request('query ($id: ID!) { node(id: $id) { __typename id } }', { id })
      expect(data?.['node']).toEqual({ __typename, id })
    }
  })

  test('what is malformed, unknown or foreign is null', async () => {
    const [org, other] = [await anOrganisation(), await anOrganisation()]
    const foreign = await rowsOf(other)
    const ids = [...foreign.nodes.map(({ id }) => id), 'nonsense', randomUUID()]
    expect(await org.request(NODES, { ids })).toEqual({ data: { nodes: ids.map(() => null) } })
  })

  test('one statement finds the types, then one a type', async () => {
    const org = await anOrganisation()
    const users = await Promise.all(Array.from({ length: 50 }, () => org.user()))
    const entities = await Promise.all(Array.from({ length: 50 }, () => org.entity()))
    const count = async (ids: string[]) => (await statementsOf(() => org.request(NODES, { ids }))).length
    expect(await count([users[0]?.id ?? '', entities[0]?.id ?? ''])).toBe(4)
    expect(await count([...users, ...entities].map(({ id }) => id))).toBe(4)
  })

  test('need the scope of what they find, and are at most 100', async () => {
    const org = await anOrganisation()
    const { id } = await org.assessment()
    const { data, errors } = await request(await org.keyWith(['RECORDS_READ', 'RESULTS_READ']), NODES, { ids: [id] })
    expect(data?.['nodes']).toEqual([null])
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', requiredScope: 'ASSESSMENTS_READ' })
    const many = await org.request(NODES, { ids: Array.from({ length: 101 }, () => randomUUID()) })
    expect(many.errors?.[0]?.extensions?.['code']).toBe('BAD_USER_INPUT')
  })

  test('do not tell whether there is a row of a type whose scope is missing', async () => {
    const [org, other] = [await anOrganisation(), await anOrganisation()]
    const [own, foreign] = [await org.result(), await other.result()]
    const key = await org.keyWith(['ASSESSMENTS_READ'])
    const asked = async (query: string, id: string) => {
      let answer: Answer = {}
      const statements = await statementsOf(async () => void (answer = await request(key, `query ($id: ID!) { ${query} { __typename } }`, { id })))
      return { answer, statements }
    }
    for (const [query, data, path] of [
      ['node(id: $id)', { node: null }, ['node']],
      ['nodes(ids: [$id])', { nodes: [null] }, ['nodes', 0]],
    ] as const) {
      const existing = await asked(query, own.id)
      const message: unknown = expect.stringContaining('RECORDS_READ, RESULTS_READ')
      expect(existing.answer).toEqual({ data, errors: [{ message, path, extensions: { code: 'FORBIDDEN', requiredScope: 'RECORDS_READ' } }] })
      for (const id of [foreign.id, randomUUID(), own.id.toUpperCase()]) expect(await asked(query, id)).toEqual(existing)
    }
  })

  test('find what the credential may read, also without some scopes', async () => {
    const org = await anOrganisation()
    const { nodes } = await rowsOf(org)
    const { data, errors } = await request(await org.keyWith(['RESULTS_READ']), NODES, { ids: [...nodes.map(({ id }) => id), 'nonsense'] })
    const isForbidden = ({ __typename }: { __typename: string }) => ['Assessment', 'AssessmentRecord'].includes(__typename)
    expect(data?.['nodes']).toEqual([...nodes.map((node) => (isForbidden(node) ? null : node)), null])
    expect(errors?.map(({ path }) => path)).toEqual(nodes.flatMap((node, index) => (isForbidden(node) ? [['nodes', index]] : [])))
  })
})
