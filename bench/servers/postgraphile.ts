// PostGraphile 5 as its documentation sets it up for production: the Amber preset, the filter
// plugin, GraphiQL, watching and explaining off, and Grafserv on node:http.
import { createServer } from 'node:http'
import type { PgSelectSingleStep } from 'postgraphile/@dataplan/pg'
import { postgraphile } from 'postgraphile'
import { makePgService } from 'postgraphile/adaptors/pg'
import { grafserv } from 'postgraphile/grafserv/node'
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber'
import { extendSchema, gql } from 'postgraphile/utils'
import { PostGraphileConnectionFilterPreset } from 'postgraphile-plugin-connection-filter'
import { announce, DATABASE_URL, POOL_SIZE } from './environment.js'

/** A JSON column is a scalar by default; this is how its documentation gives one a type, so that a query can choose in it. */
const typedSections = extendSchema(() => ({
  typeDefs: gql`
    extend type Assessment {
      typedSections: [AssessmentSection!]!
    }
    type AssessmentSection {
      title: String!
      questions: [AssessmentQuestion!]!
    }
    type AssessmentQuestion {
      id: UUID!
      text: String!
      difficulty: String!
      options: [QuestionOption!]!
    }
    type QuestionOption {
      key: String!
      label: String!
      riskScore: Float!
    }
  `,
  objects: {
    Assessment: {
      plans: {
        typedSections: ($assessment: PgSelectSingleStep) => $assessment.get('sections'),
      },
    },
  },
}))

const preset: GraphileConfig.Preset = {
  extends: [PostGraphileAmberPreset, PostGraphileConnectionFilterPreset],
  plugins: [typedSections],
  pgServices: [makePgService({ connectionString: DATABASE_URL, schemas: ['public', 'bench'], poolConfig: { max: POOL_SIZE } })],
  grafast: { explain: false },
  grafserv: { graphiql: false, watch: false, graphqlPath: '/graphql' },
}

const server = createServer()
await postgraphile(preset).createServ(grafserv).addTo(server)
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port.')
  announce(`http://127.0.0.1:${address.port}/graphql`)
})
