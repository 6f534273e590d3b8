import { readFile } from 'node:fs/promises'
import { usePersistedOperations } from '@graphql-yoga/plugin-persisted-operations'
import { GraphQLError } from 'graphql'
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

/** No documents are known by their hash, and all others are executed. */
export const NO_PERSISTED_DOCUMENTS: PersistedDocuments = { documents: new Map(), only: false }

/** Executes documents that are named by their hash. Where others are executed too, it tells clients of Apollo that they may send them. */
export function usePersistedDocuments({ documents, only }: PersistedDocuments) {
  const refusal = (message: string, code: string, status = 400) => new GraphQLError(message, { extensions: { code, http: { status } } })
  const notKnown = () => refusal('Only documents that are known by their hash are executed.', 'PERSISTED_DOCUMENT_ONLY')
  return usePersistedOperations({
    getPersistedOperation: (hash) => documents.get(hash) ?? null,
    extractPersistedOperationId: documentHash,
    allowArbitraryOperations: !only,
    customErrors: {
      notFound({ params }) {
        // Apollo's clients try the hash first, know this message and code, and then send the document. They expect status 200 with it.
        if (!only && byHash.safeParse(params.extensions).success) return refusal('PersistedQueryNotSupported', 'PERSISTED_QUERY_NOT_SUPPORTED', 200)
        return refusal('No document with this hash is known.', 'PERSISTED_DOCUMENT_NOT_FOUND')
      },
      keyNotFound: only ? notKnown : () => refusal('The request has no `query`.', 'BAD_REQUEST'),
      persistedQueryOnly: notKnown,
    },
  })
}
