import type { DocumentNode } from 'graphql'
import { LRUCache } from 'lru-cache'

/** Characters of source that are remembered in all; a syntax tree takes about a hundred times as many bytes. */
const MOST_CHARACTERS = 500_000
/** Longer documents are parsed and validated each time. */
const LONGEST_DOCUMENT = 20_000

/** Remembers documents by their source. They are counted by their length, so that large ones cannot fill the memory. */
function cacheOf<Value extends object>(): LRUCache<string, Value> {
  return new LRUCache({ maxSize: MOST_CHARACTERS, maxEntrySize: LONGEST_DOCUMENT, sizeCalculation: (_, source) => source.length + 100 })
}

export function documentCaches(): { documentCache: LRUCache<string, DocumentNode>; errorCache: LRUCache<string, Error> } {
  return { documentCache: cacheOf<DocumentNode>(), errorCache: cacheOf<Error>() }
}
