import { ApolloGateway, type GraphQLDataSourceProcessOptions, RemoteGraphQLDataSource } from '@apollo/gateway'
import { ApolloServer } from '@apollo/server'
import { startStandaloneServer } from '@apollo/server/standalone'
import type { HttpHeaders } from './client.js'
import { composeWithApollo } from './composition.js'
import { credentialHeaders, describeSupergraph } from './supergraph.js'

interface Context {
  /** The credentials of the client's request. */
  credentials: HttpHeaders
}

class ForwardingDataSource extends RemoteGraphQLDataSource<Context> {
  override willSendRequest(options: GraphQLDataSourceProcessOptions<Context>): void {
    // The gateway asks for nothing by itself: its supergraph is given.
    if (!('incomingRequestContext' in options)) return
    for (const [name, value] of Object.entries(options.context.credentials)) options.request.http?.headers.set(name, value)
  }
}

describeSupergraph("behind Apollo's gateway", composeWithApollo, async (supergraphSdl) => {
  const gateway = new ApolloGateway({
    supergraphSdl,
    buildService: ({ name, url }) =>
      name === 'assessments' ? new ForwardingDataSource({ url }) : new RemoteGraphQLDataSource<Context>({ url }),
  })
  const server = new ApolloServer<Context>({ gateway })
  const { url } = await startStandaloneServer(server, {
    listen: { port: 0, host: '127.0.0.1' },
    context({ req }) {
      const sent = credentialHeaders.flatMap((name) => {
        const value = req.headers[name]
        return typeof value === 'string' ? [[name, value] as const] : []
      })
      return Promise.resolve({ credentials: Object.fromEntries(sent) })
    },
  })
  return { url, stop: () => server.stop() }
})
