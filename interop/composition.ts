// Composes supergraphs, with each of the two composers.
import { readFileSync } from 'node:fs'
import { composeServices as composeByApollo } from '@apollo/composition'
import { composeServices as composeByGuild, transformSupergraphToPublicSchema } from '@theguild/federation-composition'
import { buildASTSchema, type GraphQLSchema, parse } from 'graphql'

/** The committed SDL of the product. */
export const assessmentsSdl = readFileSync(new URL('../schema.graphql', import.meta.url), 'utf8')

export interface Subgraph {
  name: string
  url: string
  sdl: string
}

export interface Composed {
  supergraphSdl: string
  /** What clients of the supergraph see; only where it composed. */
  clientSchema: GraphQLSchema | undefined
  errors: { code: string; message: string }[]
  /** What a composer accepts and remarks on; only Apollo's does. */
  hints: string[]
}

export type Compose = (subgraphs: Subgraph[]) => Composed

function serviceOf({ name, url, sdl }: Subgraph) {
  return { name, url, typeDefs: parse(sdl) }
}

function errorOf({ message, extensions }: { message: string; extensions: Record<string, unknown> }) {
  return { code: String(extensions['code']), message }
}

export const composeWithApollo: Compose = (subgraphs) => {
  const { schema, supergraphSdl = '', errors = [], hints = [] } = composeByApollo(subgraphs.map(serviceOf))
  return {
    supergraphSdl,
    clientSchema: schema?.toAPISchema().toGraphQLJSSchema(),
    errors: errors.map(errorOf),
    hints: hints.map((hint) => hint.toString()),
  }
}

export const composeWithGuild: Compose = (subgraphs) => {
  const { supergraphSdl = '', errors = [] } = composeByGuild(subgraphs.map(serviceOf))
  return {
    supergraphSdl,
    clientSchema: supergraphSdl === '' ? undefined : buildASTSchema(transformSupergraphToPublicSchema(parse(supergraphSdl))),
    errors: errors.map(errorOf),
    hints: [],
  }
}

/** For subgraphs that must compose: the supergraph's SDL. */
export function composed(compose: Compose, subgraphs: Subgraph[]): string {
  const { errors, supergraphSdl } = compose(subgraphs)
  if (errors.length > 0) throw new Error(errors.map(({ code, message }) => `${code}: ${message}`).join('\n'))
  return supergraphSdl
}
