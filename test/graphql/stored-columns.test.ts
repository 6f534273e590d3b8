// Fields of columns are read from the row at hand, and only if that has them.
import { beforeAll, describe, expect, test } from 'vitest'
import { ask, tellExchangesOfFailedTests } from '../exchanges.js'
import { statementsOf } from '../gateway.js'
import { anOrganisation, type Story } from '../story.js'

tellExchangesOfFailedTests()

let org: Story
let assessmentId = ''
beforeAll(async () => {
  org = await anOrganisation()
  assessmentId = (await org.assessment()).id
})

/** What a document answers, and the statements of it that read rows, not the credential. */
async function answered(query: string): Promise<{ data: unknown; reads: string[] }> {
  let data: unknown
  const statements = await statementsOf(async () => {
    const answer = await ask(org.key, query, { id: assessmentId })
    expect(answer).not.toHaveProperty('errors')
    ;({ data } = answer)
  })
  return { data, reads: statements.slice(1) }
}

const documents: Record<string, [reads: number, fields: string]> = {
  'a related row in two places, each with columns of its own': [1, '{ one: entity { name } two: entity { id country } }'],
  'a related row by a fragment, with its type': [1, '{ entity { ...Named __typename } template { ... on AssessmentTemplate { type sections { title } } } }'],
  'a related row of which a list is shown beside its columns': [1, '{ template { name outcomes { name } } }'],
  'a related row of which a fragment shows a list': [1, '{ template { ...Listed } }'],
  'the same row with a list in one place and columns in another': [1, '{ one: template { name } two: template { outcomes { name } type } }'],
  'lists below the same row that differ': [3, '{ one: entity { name assessments(first: 1) { nodes { name } } } two: entity { country assessments(last: 1) { nodes { status } } } }'],
  'a related row by the interface of all rows': [1, '{ entity { ... on Node { id } name } }'],
  'a row by the interfaces of all rows': [1, '{ ... on Node { id } ... on Versioned { version createdAt } name }'],
}

const fragments = { Named: 'Entity { name country }', Listed: 'AssessmentTemplate { name outcomes { name } }' }

describe('an answer has all that was asked for', () => {
  test.each(Object.entries(documents))('%s', async (_, [reads, fields]) => {
    const used = Object.entries(fragments).flatMap(([name, fragment]) => (fields.includes(`...${name}`) ? [`fragment ${name} on ${fragment}`] : []))
    const found = await answered(`query ($id: ID!) { assessment(id: $id) ${fields} } ${used.join(' ')}`)
    expect(JSON.stringify(found.data)).not.toMatch(/null|undefined/)
    expect(found.reads, found.reads.join('\n')).toHaveLength(reads)
  })
})

test('lists of one field below rows of two types, at one path, each have their own selection', async () => {
  const record = await org.record()
  const query = `query ($ids: [ID!]!) { nodes(ids: $ids) {
    ... on Assessment { at: template { records(first: 1) { nodes { id } } } }
    ... on AssessmentRecord { at: assessmentDefinition { records(first: 2) { nodes { id status createdAt } totalCount } } }
  } }`
  const { id, status, createdAt } = record
  const ofRecord = { at: { records: { nodes: [{ id, status, createdAt: createdAt.toISOString() }], totalCount: 1 } } }
  expect(await ask(org.key, query, { ids: [assessmentId, id] })).toEqual({
    data: { nodes: [{ at: { records: { nodes: [] } } }, ofRecord] },
  })
})

test('a list is counted once where a fragment asks for its length, and not at all under a condition that does not hold', async () => {
  const counted = await answered('{ assessments { nodes { id } ...Length } } fragment Length on AssessmentConnection { totalCount }')
  expect(counted.data).toMatchObject({ assessments: { totalCount: 1 } })
  expect(counted.reads.filter(isCount)).toHaveLength(1)
  const uncounted = await answered('query ($with: Boolean = false) { assessments { nodes { id } totalCount @include(if: $with) } }')
  expect(uncounted.reads).toHaveLength(1)
  expect(uncounted.reads.filter(isCount)).toEqual([])
})

test('of a page of which no item is shown, only what its cursors are made of is read', async () => {
  const { reads: [sql] } = await answered('{ assessments { pageInfo { endCursor } } }')
  expect(columnsOf(sql)).toEqual(['id', 'createdAt'])
})

test('only the columns that are asked for are read, and those that tell what the row is', async () => {
  const { reads: [sql] } = await answered('query ($id: ID!) { assessment(id: $id) { progress } }')
  expect(columnsOf(sql)).toContain('progress')
  for (const name of ['name', 'sections', 'companyName', 'createdAt']) expect(columnsOf(sql)).not.toContain(name)
})

const isCount = (sql: string): boolean => /count\(/i.test(sql)

/** The columns that a statement selects, by their names in the table. */
function columnsOf(sql = ''): (string | undefined)[] {
  const selected = sql.slice(0, sql.indexOf(' FROM '))
  return [...selected.matchAll(/"\w+"\."(\w+)"/g)].map(([, column]) => column)
}
