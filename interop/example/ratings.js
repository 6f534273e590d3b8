// A second subgraph, which gives every entity a rating.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { buildSubgraphSchema } from '@apollo/subgraph'
import { parse } from 'graphql'
import { createYoga } from 'graphql-yoga'

const typeDefs = parse(`
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.6", import: ["@key"])

  type Entity @key(fields: "id") {
    id: ID!
    rating: String!
  }
`)
const resolvers = { Entity: { rating: () => 'AAA' } }

const { RATINGS_PORT = '4001' } = process.env
const server = createServer(createYoga({ schema: buildSubgraphSchema({ typeDefs, resolvers }) }))
server.listen(Number(RATINGS_PORT), '127.0.0.1')
await once(server, 'listening')
export const ratingsUrl = `http://127.0.0.1:${server.address().port}/graphql`
