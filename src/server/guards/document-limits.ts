import {
  type DirectiveNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  parse,
  type SelectionSetNode,
  visit,
} from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { refusedByLimit } from '../../graphql/limit-exceeded.js'

/** Limits on the size of a document. They do not depend on the schema. */
export interface DocumentLimits {
  /** Lexical tokens, e.g. names, braces and literals. */
  tokens: number
  /** How deep its selections are nested, fragments included. */
  depth: number
  /** Aliases in the whole document. */
  aliases: number
  /** Fields at the root of one operation, fragments included. */
  rootFields: number
  /** Directives at one place. */
  directives: number
  /** How often one selection set may repeat the same response key or the same fragment spread. */
  repetitions: number
}

/**
 * Refuses documents that are too large before they are validated, because the time of validation grows with the square of the number of
 * fields that have the same response key.
 */
export function useDocumentLimits(limits: DocumentLimits): Plugin {
  return {
    onParse({ setParseFn }) {
      setParseFn((source: string) => {
        const document = parseWithin(source, limits)
        const refusal = exceededLimit(document, limits)
        if (refusal) throw refusal
        return document
      })
    },
  }
}

/** @throws GraphQLError when the source is not valid GraphQL, has too many tokens, or is nested too deeply for the parser. */
function parseWithin(source: string, { tokens, depth }: DocumentLimits): DocumentNode {
  try {
    return parse(source, { maxTokens: tokens })
  } catch (error) {
    // The parser is recursive, so that the call stack can overflow before the limit on tokens is reached.
    if (error instanceof RangeError) throw refusedByLimit('depth', depth, `A document may have at most ${depth} selections inside of each other.`)
    // Only the message tells this syntax error from others.
    if (!(error instanceof GraphQLError) || !error.message.includes('tokens. Parsing aborted')) throw error
    throw refusedByLimit('tokens', tokens, `A document may have at most ${tokens} tokens.`)
  }
}

/** An error for the first limit that a document exceeds; null if it is within all of them. */
function exceededLimit(document: DocumentNode, limits: DocumentLimits): GraphQLError | null {
  const measured = measure(document)
  const names = {
    depth: 'selections inside of each other',
    aliases: 'aliases',
    rootFields: 'fields at the root of an operation',
    directives: 'directives at one place',
    repetitions: 'repetitions of a field or a fragment in one selection set',
  }
  for (const limit of ['depth', 'aliases', 'rootFields', 'directives', 'repetitions'] as const) {
    if (measured[limit] > limits[limit]) {
      return refusedByLimit(limit, limits[limit], `A document may have at most ${limits[limit]} ${names[limit]}, not ${measured[limit]}.`)
    }
  }
  return null
}

function measure(document: DocumentNode): Omit<DocumentLimits, 'tokens'> {
  const shapes = new Shapes(document)
  const measured = { depth: 0, aliases: 0, rootFields: 0, directives: 0, repetitions: 0 }
  const countDirectives = (directives: readonly DirectiveNode[] | undefined) => {
    measured.directives = Math.max(measured.directives, directives?.length ?? 0)
  }
  visit(document, {
    OperationDefinition({ selectionSet, directives }) {
      const { depth, fields } = shapes.of(selectionSet)
      measured.depth = Math.max(measured.depth, depth)
      measured.rootFields = Math.max(measured.rootFields, fields)
      countDirectives(directives)
    },
    Field({ alias, directives }) {
      if (alias) measured.aliases += 1
      countDirectives(directives)
    },
    VariableDefinition: ({ directives }) => countDirectives(directives),
    FragmentSpread: ({ directives }) => countDirectives(directives),
    InlineFragment: ({ directives }) => countDirectives(directives),
    FragmentDefinition: ({ directives }) => countDirectives(directives),
    SelectionSet({ selections }) {
      const times = new Map<string, number>()
      for (const selection of selections) {
        if (selection.kind === Kind.INLINE_FRAGMENT) continue
        const name = selection.kind === Kind.FIELD ? (selection.alias ?? selection.name).value : `...${selection.name.value}`
        const repeated = times.get(name) ?? 0
        times.set(name, repeated + 1)
        measured.repetitions = Math.max(measured.repetitions, repeated)
      }
    },
  })
  return measured
}

interface Shape {
  depth: number
  /** Number of fields at the top of the selection set, fragments included. */
  fields: number
}

/** Measures selection sets. Each fragment is measured only once, so that the time does not grow with the number of its spreads. */
class Shapes {
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>
  readonly #known = new Map<string, Shape>()

  constructor({ definitions }: DocumentNode) {
    this.#fragments = new Map(definitions.flatMap((it) => (it.kind === Kind.FRAGMENT_DEFINITION ? [[it.name.value, it]] : [])))
  }

  of({ selections }: SelectionSetNode): Shape {
    const shape = { depth: 1, fields: 0 }
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        shape.fields += 1
        if (selection.selectionSet) shape.depth = Math.max(shape.depth, 1 + this.of(selection.selectionSet).depth)
        continue
      }
      const { depth, fields } = selection.kind === Kind.FRAGMENT_SPREAD ? this.#ofFragment(selection.name.value) : this.of(selection.selectionSet)
      shape.depth = Math.max(shape.depth, depth)
      shape.fields += fields
    }
    return shape
  }

  #ofFragment(name: string): Shape {
    const known = this.#known.get(name)
    if (known) return known
    const nothing = { depth: 0, fields: 0 }
    // Set first, so that a fragment that spreads itself does not recurse for ever. Validation refuses such fragments later.
    this.#known.set(name, nothing)
    const fragment = this.#fragments.get(name)
    const shape = fragment ? this.of(fragment.selectionSet) : nothing
    this.#known.set(name, shape)
    return shape
  }
}
