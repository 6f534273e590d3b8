import { readFile } from 'node:fs/promises'
import { usePersistedOperations } from '@graphql-yoga/plugin-persisted-operations'
import type { GraphQLParams } from 'graphql-yoga'
import { z } from 'zod'
import { StartError } from '../../process/start-error.js'

/** Documents that clients may name by their hash instead of sending them. */
export interface PersistedDocuments {
  /** By their hash, as GraphQL Code Generator writes them to persisted-documents.json. */
  documents: ReadonlyMap<string, string>
  /** Whether all other documents are refused. */
  only: boolean
}

/** @throws StartError when the file cannot be read or is not a JSON object of documents by their hash. */
export async function readPersistedDocuments(file: string, only: boolean): Promise<PersistedDocuments> {
  try {
    const documents = z.record(z.string(), z.string()).parse(JSON.parse(await readFile(file, 'utf8')))
    return { documents: new Map(Object.entries(documents).map(([id, document]) => [hashIn(id), document])), only }
  } catch (cause) {
    throw new StartError(`PERSISTED_DOCUMENTS ${file} is not a JSON object of documents by their hash.`, { cause })
  }
}

const byHash = z.object({ persistedQuery: z.object({ sha256Hash: z.string() }) })
const byId = z.object({ documentId: z.string() })

/** Removes the name of the algorithm from an id: some clients write it in front of the hash, others do not. */
const hashIn = (id: string) => id.replace(/^sha256:/, '')

/** The hash of the document that a request names, by `documentId` or by Apollo's `extensions.persistedQuery`; null if it names none. */
function documentHash(params: Pick<GraphQLParams, 'extensions'> | { documentId?: string | undefined; extensions?: unknown }): string | null {
  const id = byId.safeParse(params)
  if (id.success) return hashIn(id.data.documentId)
  const hash = byHash.safeParse(params.extensions)
  return hash.success ? hashIn(hash.data.persistedQuery.sha256Hash) : null
}

export function usePersistedDocuments({ documents, only }: PersistedDocuments) {
  const refusal = (message: string, code: string) => ({ message, extensions: { code, http: { status: 400 } } })
  return usePersistedOperations({
    getPersistedOperation: (hash) => documents.get(hash) ?? null,
    extractPersistedOperationId: documentHash,
    allowArbitraryOperations: !only,
    customErrors: {
      notFound: refusal('No document with this hash is known.', 'PERSISTED_DOCUMENT_NOT_FOUND'),
      keyNotFound: refusal('Only documents that are known by their hash are executed.', 'PERSISTED_DOCUMENT_ONLY'),
      persistedQueryOnly: refusal('Only documents that are known by their hash are executed.', 'PERSISTED_DOCUMENT_ONLY'),
    },
  })
}
