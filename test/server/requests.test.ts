// What a client got wrong in a request: a code for programs, and where.
import { expect, test } from 'vitest'
import { logged, post } from '../gateway.js'
import { anOrganisation } from '../story.js'

const rename = 'mutation ($id: ID!, $input: UpdateAssessmentInput!) { updateAssessment(id: $id, input: $input) { __typename } }'
const since = (date: string) => `{ assessments(filter: { updatedSince: ${date} }) { __typename } }`

const wrong: Record<string, [status: number, code: string, query: string, variables?: object]> = {
  'a variable that is missing': [400, 'BAD_USER_INPUT', rename, { input: {} }],
  'a variable of another type': [400, 'BAD_USER_INPUT', rename, { id: 'a', input: { progress: 'much' } }],
  'a variable with an unknown field': [400, 'BAD_USER_INPUT', rename, { id: 'a', input: { unknownField: 1 } }],
  'a variable that is not one of the enum': [400, 'BAD_USER_INPUT', rename, { id: 'a', input: { status: 'DONE' } }],
  'a variable that is no DateTime': [400, 'BAD_USER_INPUT', `query ($a: DateTime) ${since('$a')}`, { a: 'yesterday' }],
  'null for a variable that only has a default': [200, 'BAD_USER_INPUT', 'query ($id: ID = "a") { assessment(id: $id) { id } }', { id: null }],
  'a literal of another type': [200, 'GRAPHQL_VALIDATION_FAILED', '{ assessments(first: "two") { __typename } }'],
  'a literal DateTime before the year 1': [200, 'GRAPHQL_VALIDATION_FAILED', since('"0001-01-01T00:00:00+14:00"')],
  'a literal that is no DateTime': [200, 'GRAPHQL_VALIDATION_FAILED', since('"2026-02-30T00:00:00Z"')],
  'half a surrogate pair in the document': [200, 'GRAPHQL_PARSE_FAILED', '{ assessments(filter: { search: "\\ud800" }) { __typename } }'],
}

test.each(Object.entries(wrong))('%s is told with a code and a place, and not logged', async (_what, [status, code, query, variables]) => {
  const { key } = await anOrganisation()
  const before = logged.length
  const response = await post({ apikey: key }, query, variables)
  expect(response.status).toBe(status)
  expect(await response.json()).toMatchObject({ errors: [{ locations: [{ line: 1 }], extensions: { code } }] })
  expect(logged.slice(before).filter((line) => !/^{"level":[23]0,/.test(line))).toEqual([])
})
