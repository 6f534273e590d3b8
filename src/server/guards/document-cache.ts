import { type DocumentNode, GraphQLError, Kind } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { LRUCache } from 'lru-cache'
import { isRecord } from '../../domain/is-record.js'

/** How many characters of source are cached in all. A syntax tree takes about a hundred bytes for each of them. */
const MAX_TOTAL_CHARACTERS = 500_000
/** Documents with more characters are not cached, but parsed and validated each time. */
const MAX_DOCUMENT_CHARACTERS = 20_000

/**
 * A least-recently-used cache with the source of a document as its key. Entries count by the length of their source, so that long documents
 * cannot fill the memory, plus 100, so that many tiny documents cannot either.
 */
export function cacheBySource<Value extends object>(): LRUCache<string, Value> {
  return new LRUCache({ maxSize: MAX_TOTAL_CHARACTERS, maxEntrySize: MAX_DOCUMENT_CHARACTERS, sizeCalculation: (_, source) => source.length + 100 })
}

/** Parses, measures and validates each document once. Errors are cached as well, so that a bad document costs little when it is sent again. */
export function useDocumentCache(): Plugin {
  const documents = cacheBySource<DocumentNode>()
  const refusals = cacheBySource<Error>()
  const validations = new WeakMap<DocumentNode, readonly GraphQLError[]>()
  return {
    onParse({ params, setParsedDocument }) {
      const source: unknown = params.source
      if (typeof source !== 'string') return
      const known = documents.get(source)
      if (known) return setParsedDocument(known)
      const refusal = refusals.get(source)
      if (refusal) throw refusal
      return ({ result }: { result: unknown }) => {
        if (result instanceof Error) refusals.set(source, result)
        else if (isDocument(result)) documents.set(source, result)
      }
    },
    onValidate({ params, setResult }) {
      const document: unknown = params.documentAST
      if (!isDocument(document)) return
      const known = validations.get(document)
      if (known) return setResult(known)
      return ({ result }) => void validations.set(document, result.filter((it) => it instanceof GraphQLError))
    },
  }
}

function isDocument(value: unknown): value is DocumentNode {
  return isRecord(value) && value['kind'] === Kind.DOCUMENT
}
