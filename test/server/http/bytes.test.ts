// Bodies and addresses are UTF-8, and what is not is refused: read otherwise, two texts could become one.
import { once } from 'node:events'
import { createServer as createHttpServer, request as httpRequest } from 'node:http'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { gateway } from '../../gateway.js'
import { anOrganisation, type Story } from '../../story.js'

let org: Story
const server = createHttpServer(gateway.listener).listen(0, '127.0.0.1')
let port: number
beforeAll(async () => {
  org = await anOrganisation()
  if (!server.listening) await once(server, 'listening')
  const address = server.address()
  port = typeof address === 'object' && address ? address.port : 0
})
afterAll(() => void server.close())

const PUT = `mutation ($sourcedId: ID!, $input: PutAssessmentResultInput!) {
  putAssessmentResult(sourcedId: $sourcedId, input: $input) { __typename ... on PutAssessmentResultSuccess { assessmentResult { sourcedId comment } } }
}`

interface Answered {
  status: number | undefined
  headers: Record<string, unknown>
  body: unknown
}

/** Sends bytes by a real connection, with their length or in chunks, or by `fetch`. */
type Send = (bytes: Buffer, headers?: Record<string, string>) => Promise<Answered>
const byConnection =
  (chunked: boolean): Send =>
  async (bytes, headers = {}) => {
    const sent = httpRequest({ port, path: '/graphql', method: 'POST', headers: { apikey: org.key, 'content-type': 'application/json', ...headers } })
    if (!chunked) sent.setHeader('content-length', bytes.length)
    for (const byte of bytes.subarray(0, 5)) sent.write(Buffer.of(byte))
    sent.end(bytes.subarray(5))
    return new Promise((resolve, reject) => {
      sent.once('error', reject).once('response', (response) => {
        json(response).then((body) => resolve({ status: response.statusCode, headers: response.headers, body }), reject)
      })
    })
  }
const byFetch: Send = async (bytes, headers = {}) => {
  const response = await gateway.fetch('http://gateway.test/graphql', { method: 'POST', body: new Uint8Array(bytes), headers: { apikey: org.key, 'content-type': 'application/json', ...headers } })
  return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.json() }
}

describe.each<[string, Send]>([['with a length', byConnection(false)], ['in chunks', byConnection(true)], ['by fetch', byFetch]])('a body %s', (_, send) => {
  const bodyFor = async (comment: string) => JSON.stringify({ query: PUT, variables: { sourcedId: `é ${comment}`, input: { ...(await org.resultInput()), comment } } })

  test('in another encoding is refused, and nothing is written', async () => {
    const { status, body } = await send(Buffer.from(await bodyFor('résumé'), 'latin1'))
    expect({ status, body }).toMatchObject({ status: 400, body: { errors: [{ message: 'The body is not UTF-8.', extensions: { code: 'BAD_REQUEST' } }] } })
  })

  test('may have a byte order mark, and says its encoding in any spelling', async () => {
    for (const charset of ['', '; charset=utf-8', '; charset="UTF-8"', ';charset=UTF8']) {
      const { body } = await send(Buffer.from(`\ufeff${await bodyFor(`ağ ${charset}`)}`), { 'content-type': `application/json${charset}` })
      expect(body).toMatchObject({ data: { putAssessmentResult: { assessmentResult: { comment: `ağ ${charset}` } } } })
    }
  })

  test('that says another encoding, or that it is compressed, is a 415', async () => {
    const bytes = Buffer.from('{"query":"{ viewer { scopes } }"}')
    expect(await send(bytes, { 'content-type': 'application/json; charset=iso-8859-1' })).toMatchObject({ status: 415, body: { errors: [{ extensions: { code: 'UNSUPPORTED_MEDIA_TYPE' } }] } })
    for (const encoding of ['gzip', 'br', 'identity, gzip']) {
      expect(await send(bytes, { 'content-encoding': encoding })).toMatchObject({ status: 415, headers: { 'accept-encoding': 'identity' } })
    }
    expect(await send(bytes, { 'content-encoding': 'identity' })).toMatchObject({ status: 200 })
  })
})

test('an address with escapes that are not UTF-8 is a 400', async () => {
  const get = (query: string) =>
    gateway.fetch(`http://gateway.test/graphql?query=${query}`, { headers: { apikey: org.key, 'apollo-require-preflight': 'true' } })
  expect((await get(encodeURIComponent('{ entities(filter: { search: "é" }) { totalCount } }'))).status).toBe(200)
  expect((await get('%7B%20entities(filter:%7Bsearch:%22%E9%22%7D)%7BtotalCount%7D%7D')).status).toBe(400)
})
