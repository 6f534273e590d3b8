// Texts that are longer than the column that they are compared with can hold. They match nothing, and no statement is sent for them.
import { getNamedType } from 'graphql'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { leavesOf, operation, rootField, rootFields, withValueAt } from '../documents.js'
import { ask, tellExchangesOfFailedTests } from '../exchanges.js'
import { statementsOf } from '../gateway.js'
import { anOrganisation, type Story } from '../story.js'

tellExchangesOfFailedTests()

/** Not in the Basic Multilingual Plane: one code point, two code units, four bytes. */
const LETTER = '𝒳'
/** As long as the body of a request lets a text be, nearly. */
const HUGE = 'x'.repeat(500_000)
const someText: unknown = expect.any(String)

/** By the place of a text in the arguments of Query: how long its column's texts can be, and how a row gets one. */
const limits: Record<string, [max: number, row: (org: Story, text: string) => Promise<unknown>]> = {
  'assessments.filter.search': [200, (org, name) => org.assessment({ name })],
  'assessmentTemplates.filter.type': [100, (org, type) => org.template({ type })],
  'assessmentTemplates.filter.search': [200, (org, name) => org.template({ name })],
  'assessmentResult.sourcedId': [255, (org, sourcedId) => org.result({}, sourcedId)],
  'assessmentResults.filter.studentSourcedId': [
    255,
    async (org, sourcedId) => org.result({ studentSourcedId: (await org.user({ sourcedId })).sourcedId }),
  ],
  'assessmentResults.filter.assessmentLineItemSourcedId': [
    255,
    async (org, sourcedId) => org.result({ assessmentLineItemSourcedId: (await org.lineItem({ sourcedId })).sourcedId }),
  ],
  'assessmentLineItem.sourcedId': [255, (org, sourcedId) => org.lineItem({ sourcedId })],
  'assessmentLineItems.search': [200, (org, title) => org.lineItem({ title })],
  'entities.filter.search': [200, (org, name) => org.entity({ name })],
  'entities.filter.country': [100, (org, country) => org.entity({ country })],
  'users.filter.search': [200, (org, name) => org.user({ name })],
  'users.filter.sourcedId': [255, (org, sourcedId) => org.user({ sourcedId })],
  'users.filter.subject': [255, (org, subject) => org.user({ subject })],
}

/** Every place of a text in the arguments of Query that names rows. */
const places = Object.values(rootFields('Query')).flatMap((field) =>
  [...leavesOf(field, 'ID'), ...leavesOf(field, 'String')]
    .filter(({ path }) => !['after', 'before'].includes(path.join('.')))
    .map(({ path }) => ({ field: field.name, path, place: [field.name, ...path].join('.') })),
)

test('every place that takes anything but a UUID has its limit here', () => {
  const takesUuid = (place: string) => /(\.id|Id)$/.test(place) && !/sourcedId$/i.test(place)
  const named = places.map(({ place }) => place).filter((place) => !takesUuid(place))
  expect(named.sort()).toEqual(Object.keys(limits).sort())
})

describe.each(places)('$place', ({ field, path, place }) => {
  const isList = getNamedType(rootField('Query', field).type).name.endsWith('Connection')
  const selection = isList ? 'nodes { id } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount' : 'id'
  const pageInfo = { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null }
  const nothing = isList ? { nodes: [], edges: [], pageInfo, totalCount: 0 } : null
  const find = async (org: Story, text: string) => {
    const { data, errors } = await ask(org.key, operation('Query', field, selection), withValueAt({}, path, text))
    expect(errors).toBeUndefined()
    return data?.[field]
  }

  test('finds nothing by what is too long, and asks nobody', async () => {
    const org = await anOrganisation()
    const lookUp = await statementsOf(() => ask(org.key, '{ __typename }'))
    const [max] = limits[place] ?? [36]
    for (const text of [LETTER.repeat(max + 1), '%'.repeat(max + 1), HUGE]) {
      const statements = await statementsOf(async () => expect(await find(org, text)).toEqual(nothing))
      expect(statements, `${text.length} characters`).toEqual(lookUp)
    }
  })

  const limit = limits[place]
  if (limit) test('finds a row by a text as long as it can be', async () => {
    const org = await anOrganisation()
    const [max, row] = limit
    const text = LETTER.repeat(max)
    await row(org, text)
    expect(await find(org, text)).toMatchObject(isList ? { totalCount: 1 } : { id: someText })
  })
})

test('a list that must have one of no values is empty, and asks nobody', async () => {
  const org = await anOrganisation()
  await org.assessment()
  const lookUp = await statementsOf(() => ask(org.key, '{ __typename }'))
  const query = '{ assessments(filter: { status: [] }) { totalCount nodes { id } } }'
  const statements = await statementsOf(async () => {
    expect((await ask(org.key, query)).data).toEqual({ assessments: { totalCount: 0, nodes: [] } })
  })
  expect(statements).toEqual(lookUp)
})

test('an entity and a node are not looked for by what is too long', async () => {
  const org = await anOrganisation()
  const lookUp = await statementsOf(() => ask(org.key, '{ __typename }'))
  const sourcedId = LETTER.repeat(255)
  await org.user({ sourcedId })
  await org.result({}, sourcedId)
  const entities = 'query ($representations: [_Any!]!) { _entities(representations: $representations) { __typename } }'
  const types = ['User', 'AssessmentResult']
  const representations = types.map((__typename) => ({ __typename, sourcedId }))
  expect((await ask(org.key, entities, { representations })).data?.['_entities']).toEqual(types.map((__typename) => ({ __typename })))
  const tooLong = [`${sourcedId}x`, 'x'.repeat(100_000)].flatMap((long) => types.flatMap((__typename) => [{ __typename, sourcedId: long }, { __typename, id: long }]))
  const statements = await statementsOf(async () => {
    const { data, errors } = await ask(org.key, entities, { representations: tooLong })
    expect(errors).toBeUndefined()
    expect(data?.['_entities']).toEqual(tooLong.map(() => null))
    expect((await ask(org.key, 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: [HUGE, sourcedId] })).data).toEqual({ nodes: [null, null] })
  })
  expect(statements).toEqual([...lookUp, ...lookUp])
})

describe('a cursor', () => {
  const NAMES = 'query ($orderBy: [AssessmentOrder!], $after: String) { assessments(orderBy: $orderBy, after: $after) { nodes { name } edges { cursor } } }'
  const orderBy = ['NAME', 'CREATED_AT', 'UPDATED_AT', 'OVERALL_RISK_SCORE'].map((field) => ({ field, direction: 'ASC' }))
  const cursors = z.object({ assessments: z.object({ edges: z.array(z.object({ cursor: z.string() })) }) })

  test('of the longest name there can be is read', async () => {
    const org = await anOrganisation()
    // JSON writes each as six characters.
    await org.assessment({ name: '\u0001'.repeat(200) })
    await org.assessment({ name: 'Later' })
    const { assessments } = await org.dataOf(cursors, NAMES, { orderBy })
    const { data } = await ask(org.key, NAMES, { orderBy, after: assessments.edges[0]?.cursor })
    expect(data).toMatchObject({ assessments: { nodes: [{ name: 'Later' }] } })
  })

  test('is refused unread where it is longer than any, and where it holds a text that is too long', async () => {
    const org = await anOrganisation()
    await org.assessment({ name: 'A' })
    const { assessments } = await org.dataOf(cursors, NAMES, { orderBy })
    const cursor = assessments.edges[0]?.cursor ?? ''
    const [binding, , ...others] = z.array(z.unknown()).parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()))
    const named = (name: string) => Buffer.from(JSON.stringify([binding, name, ...others])).toString('base64url')
    const lookUp = await statementsOf(() => ask(org.key, '{ __typename }'))
    expect((await ask(org.key, NAMES, { orderBy, after: named('A'.repeat(200)) })).errors).toBeUndefined()
    // Base64 skips what is none of its characters.
    for (const after of [named('A'.repeat(201)), named(HUGE), `${cursor}${'!'.repeat(500_000)}`]) {
      const statements = await statementsOf(async () => {
        expect((await ask(org.key, NAMES, { orderBy, after })).errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
      })
      expect(statements).toEqual(lookUp)
    }
  })
})
