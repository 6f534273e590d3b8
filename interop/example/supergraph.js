// Composes the gateway and the ratings into one supergraph, and serves it.
import { createServer } from 'node:http'
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime'
import http from '@graphql-mesh/transport-http'
import { composeServices } from '@theguild/federation-composition'
import { parse } from 'graphql'
import { ratingsUrl } from './ratings.js'

const { KEY, GATEWAY = 'http://127.0.0.1:4000/graphql', PORT = '4002' } = process.env

async function subgraph(name, url) {
  const headers = { 'content-type': 'application/json', ...(KEY && { apikey: KEY }) }
  const response = await fetch(url, { method: 'POST', headers, body: '{"query":"{ _service { sdl } }"}' })
  const { data, errors } = await response.json()
  if (errors) throw new Error(`${url}: ${errors[0].message}`)
  return { name, url, typeDefs: parse(data._service.sdl) }
}

const { supergraphSdl, errors } = composeServices([await subgraph('assessments', GATEWAY), await subgraph('ratings', ratingsUrl)])
if (errors) throw new Error(errors.map(({ message }) => message).join('\n'))

// The client's own credential goes to the gateway, and to nobody else.
const credentials = ['authorization', 'apikey', 'x-api-key', 'x-session-token']
const fromClientToSubgraphs = ({ request, subgraphName }) =>
  subgraphName === 'assessments' ? Object.fromEntries(credentials.map((name) => [name, request.headers.get(name)])) : {}

const supergraph = createGatewayRuntime({ supergraph: supergraphSdl, transports: { http }, propagateHeaders: { fromClientToSubgraphs } })
const server = createServer(supergraph)
server.listen(Number(PORT), '127.0.0.1', () => console.log(`supergraph  http://127.0.0.1:${server.address().port}/graphql`))
// The runtime takes these signals to clean up, and would go on serving.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit())
