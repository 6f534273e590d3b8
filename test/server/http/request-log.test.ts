// What a request leaves in the log, and how its answer, the log and the revisions name it.
import { randomUUID } from 'node:crypto'
import pino from 'pino'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { createServer } from '../../../src/server/server.js'
import { dependencies } from '../../gateway.js'
import { anOrganisation } from '../../story.js'

const lines: string[] = []
const gateway = createServer({ ...dependencies, log: pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }) })

async function send(headers: Record<string, string>, body: object) {
  lines.length = 0
  const response = await gateway.fetch('http://gateway.test/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  return { response, body: await response.text(), logged: lines.map((line): unknown => JSON.parse(line)) }
}

test('each request is one line that says who asked what by name, how it ended and what it took', async () => {
  const org = await anOrganisation()
  const { id } = await org.assessment()
  const query = 'query Other { __typename } query Named($id: ID!) { assessment(id: $id) { name } }'
  const { response, logged } = await send({ apikey: org.key }, { query, operationName: 'Named', variables: { id } })
  expect(logged).toMatchObject([
    {
      level: 30,
      msg: 'request',
      requestId: response.headers.get('x-request-id'),
      operationName: 'Named',
      organisation: org.id,
      status: 200,
      statements: 1,
    },
  ])
  const [line] = z.tuple([z.object({ viewer: z.string(), durationMs: z.number() })]).parse(logged)
  expect(line.viewer).toMatch(/^key:/)
  expect(line.durationMs).toBeGreaterThan(0)
  // Nothing of what was asked: no variable, no document.
  expect(JSON.stringify(logged)).not.toContain(id)
  expect(JSON.stringify(logged)).not.toContain('__typename')
})

test('a request that is refused is logged too, without a viewer', async () => {
  const { logged } = await send({ apikey: randomUUID() }, { query: '{ __typename }' })
  expect(logged).toMatchObject([{ msg: 'request', status: 401 }])
  expect(logged[0]).not.toHaveProperty('viewer')
})

test('the id of a request is the client’s own where it looks like one', async () => {
  const org = await anOrganisation()
  const idOf = async (given: string) => (await send({ apikey: org.key, 'x-request-id': given }, { query: '{ __typename }' })).response.headers.get('x-request-id')
  expect(await idOf('trace:01-ab.C_d')).toBe('trace:01-ab.C_d')
  for (const given of ['two words', '"quoted"', 'x'.repeat(101), '{"level":60}']) expect(z.uuid().safeParse(await idOf(given)).success, given).toBe(true)
})

test('an unexpected error is logged with its request', async () => {
  const org = await anOrganisation()
  const { id, sourcedId } = await org.result()
  // The revision that the write would make is there already.
  const taken = { assessmentResultId: id, organisationId: org.id, version: 2, changedPaths: [], actor: 'system:test', changedAt: new Date() }
  await dependencies.store.revision.create({ data: taken })
  const query = 'mutation ($sourcedId: ID!, $input: PutAssessmentResultInput!) { putAssessmentResult(sourcedId: $sourcedId, input: $input) { __typename } }'
  const { response, body, logged } = await send({ apikey: org.key }, { query, variables: { sourcedId, input: await org.resultInput() } })
  const answer = z.object({ errors: z.tuple([z.object({ extensions: z.object({ errorId: z.uuid() }) })]) }).parse(JSON.parse(body))
  const requestId = response.headers.get('x-request-id')
  expect(logged).toMatchObject([
    { level: 50, msg: 'unexpected error', requestId, errorId: answer.errors[0].extensions.errorId },
    { level: 30, msg: 'request', requestId },
  ])
})
