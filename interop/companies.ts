// A second, small subgraph, of somebody else: the companies behind the entities that are assessed.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { buildSubgraphSchema } from '@apollo/subgraph'
import { parse } from 'graphql'
import { createYoga } from 'graphql-yoga'
import { z } from 'zod'
import type { Running } from './gateway.js'

/**
 * It adds fields to types of the first subgraph by their keys, goes from its own types to those of
 * the first, and declares the value types that both share exactly as the first does.
 */
export const companiesSdl = `
  extend schema @link(
    url: "https://specs.apollo.dev/federation/v2.6"
    import: ["@key", "@shareable", "@external", "@requires"]
  )

  type Query {
    companies: CompanyConnection!
  }

  type Mutation {
    renameCompany(id: ID!, name: String!): RenameCompanyPayload
  }

  type CompanyConnection {
    nodes: [Company!]!
    pageInfo: PageInfo!
  }

  type Company @key(fields: "id") {
    id: ID!
    name: String!
    foundedAt: DateTime!
    entity: Entity!
    assessments: [Assessment]!
    contact: User
  }

  union RenameCompanyPayload = Company | ValidationError | NotFoundError

  type Entity @key(fields: "id") {
    id: ID!
    company: Company
  }

  type Assessment @key(fields: "id") {
    id: ID!
    name: String! @external
    version: Int! @external
    companyReport: String @requires(fields: "name version")
  }

  type User @key(fields: "sourcedId") {
    sourcedId: ID
  }

  scalar DateTime

  type PageInfo @shareable {
    hasNextPage: Boolean!
    hasPreviousPage: Boolean!
    startCursor: String
    endCursor: String
  }

  interface Error {
    message: String!
  }

  type NotFoundError implements Error @shareable {
    message: String!
    ids: [ID!]!
  }

  type ValidationError implements Error @shareable {
    message: String!
    issues: [ValidationIssue!]!
  }

  type ValidationIssue @shareable {
    path: [String!]!
    code: ValidationCode!
    message: String!
  }

  enum ValidationCode {
    REQUIRED
    NOT_NULLABLE
    TOO_SHORT
    TOO_LONG
    OUT_OF_RANGE
    INVALID_FORMAT
    UNKNOWN
    IN_FUTURE
    WRONG_STATE
    DUPLICATE
  }
`

/** A company, and what it refers to in the first subgraph. */
export interface Company {
  id: string
  name: string
  foundedAt: string
  entityId: string
  assessmentIds: string[]
  /** sourcedId of a user, which is all that this subgraph knows of people. */
  contactSourcedId: string
}

const key = z.object({ id: z.string() })
const reported = z.object({ id: z.string(), name: z.string(), version: z.number() })

/** Serves the subgraph on a free port. */
export async function startCompanies(companies: readonly Company[]): Promise<Running> {
  const names = new Map(companies.map(({ id, name }) => [id, name]))
  const resolvers = {
    Query: {
      companies: () => ({
        nodes: companies,
        pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
      }),
    },
    Mutation: {
      renameCompany(_root: unknown, { id, name }: { id: string; name: string }) {
        const company = companies.find((it) => it.id === id)
        if (name === '') {
          const issues = [{ path: ['name'], code: 'TOO_SHORT', message: 'A company has a name.' }]
          return { __typename: 'ValidationError', message: 'The input is not valid.', issues }
        }
        if (!company) return { __typename: 'NotFoundError', message: 'There is no such company.', ids: [id] }
        names.set(id, name)
        return { __typename: 'Company', ...company }
      },
    },
    Company: {
      name: ({ id }: Company) => names.get(id),
      entity: ({ entityId }: Company) => ({ id: entityId }),
      assessments: ({ assessmentIds }: Company) => assessmentIds.map((id) => ({ id })),
      contact: ({ contactSourcedId }: Company) => ({ sourcedId: contactSourcedId }),
      __resolveReference: (reference: unknown) => companies.find(({ id }) => id === key.parse(reference).id),
    },
    Entity: {
      __resolveReference: (reference: unknown) => key.parse(reference),
      company: ({ id }: { id: string }) => companies.find(({ entityId }) => entityId === id) ?? null,
    },
    Assessment: {
      // The gateway sends what @requires names along with the key.
      __resolveReference: (reference: unknown) => reported.partial({ name: true, version: true }).parse(reference),
      companyReport(reference: unknown) {
        const { name, version } = reported.parse(reference)
        return `Report on ${name}, version ${version}`
      },
    },
    User: {
      __resolveReference: (reference: unknown) => z.object({ sourcedId: z.string() }).parse(reference),
    },
  }
  const schema = buildSubgraphSchema({ typeDefs: parse(companiesSdl), resolvers })
  return listen(createServer(createYoga({ schema, logging: false, maskedErrors: false })))
}

/** Lets a server of the tests listen on a free port. */
export async function listen(server: ReturnType<typeof createServer>): Promise<Running> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || !address) throw new Error('A server without a port.')
  return {
    url: `http://127.0.0.1:${address.port}/graphql`,
    async stop() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
