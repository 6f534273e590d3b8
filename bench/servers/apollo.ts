// Apollo Server with Prisma as their documentation shows them: a subgraph schema from SDL, the
// standalone server, whole rows from Prisma's client, its cursor pagination, and relations by the
// fluent API, which Prisma batches into one statement.
import { readFile } from 'node:fs/promises'
import { ApolloServer } from '@apollo/server'
import { startStandaloneServer } from '@apollo/server/standalone'
import { buildSubgraphSchema } from '@apollo/subgraph'
import { PrismaPg } from '@prisma/adapter-pg'
import { GraphQLScalarType, parse } from 'graphql'
import { type Assessment, type AssessmentStatus, type Prisma, PrismaClient } from '../generated/prisma/client.js'
import { announce, DATABASE_URL, ORGANISATION_ID, POOL_SIZE } from './environment.js'

const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: DATABASE_URL, max: POOL_SIZE }) })

interface ListArguments {
  first: number
  after?: string | null
  filter?: { status?: AssessmentStatus[] }
  orderBy?: { field: 'CREATED_AT' | 'NAME'; direction: 'ASC' | 'DESC' }[]
}

interface UpdateArguments {
  id: string
  expectedVersion: number
  input: { progress: number }
}

const columns = { CREATED_AT: 'createdAt', NAME: 'name' } as const

const resolvers = {
  DateTime: new GraphQLScalarType({
    name: 'DateTime',
    serialize: (value) => (value instanceof Date ? value.toISOString() : value),
  }),
  Query: {
    assessment: (_: unknown, { id }: { id: string }) =>
      prisma.assessment.findUnique({ where: { organisationId_id: { organisationId: ORGANISATION_ID, id } } }),
    async assessments(_: unknown, { first, after, filter, orderBy }: ListArguments) {
      const { field, direction } = orderBy?.[0] ?? { field: 'CREATED_AT', direction: 'DESC' }
      const sort = direction === 'ASC' ? 'asc' : 'desc'
      const where: Prisma.AssessmentWhereInput = { organisationId: ORGANISATION_ID, ...(filter?.status && { status: { in: filter.status } }) }
      const rows = await prisma.assessment.findMany({
        where,
        orderBy: [{ [columns[field]]: sort }, { id: sort }],
        take: first + 1,
        ...(after && { cursor: { id: after }, skip: 1 }),
      })
      const nodes = rows.slice(0, first)
      return {
        nodes,
        pageInfo: { hasNextPage: rows.length > first, endCursor: nodes.at(-1)?.id },
        totalCount: () => prisma.assessment.count({ where }),
      }
    },
  },
  Mutation: {
    async updateAssessment(_: unknown, { id, expectedVersion, input }: UpdateArguments) {
      const [assessment] = await prisma.assessment.updateManyAndReturn({
        where: { organisationId: ORGANISATION_ID, id, version: expectedVersion },
        data: { ...input, version: { increment: 1 }, changedBy: 'bench:apollo' },
      })
      if (assessment) return { __typename: 'UpdateAssessmentSuccess', assessment }
      const current = await prisma.assessment.findUnique({ where: { organisationId_id: { organisationId: ORGANISATION_ID, id } } })
      return { __typename: 'ConflictError', actualVersion: current?.version, current }
    },
  },
  Versioned: { __resolveType: () => 'Assessment' },
  Assessment: {
    __resolveReference: ({ id }: { id: string }) =>
      prisma.assessment.findUnique({ where: { organisationId_id: { organisationId: ORGANISATION_ID, id } } }),
    entity: ({ id }: Assessment) => prisma.assessment.findUnique({ where: { id } }).entity(),
    template: ({ id }: Assessment) => prisma.assessment.findUnique({ where: { id } }).template(),
  },
}

const federation = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.6", import: ["@key"])'
const typeDefs = parse(federation + (await readFile(new URL('peers.graphql', import.meta.url), 'utf8')))
const server = new ApolloServer({ schema: buildSubgraphSchema({ typeDefs, resolvers }) })
const { url } = await startStandaloneServer(server, { listen: { port: 0, host: '127.0.0.1' } })
announce(url)
