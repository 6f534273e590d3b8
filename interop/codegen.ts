import type { CodegenConfig } from '@graphql-codegen/cli'

const types = {
  useTypeImports: true,
  scalars: { DateTime: 'string', JSONObject: 'Record<string, unknown>' },
}

/** What a frontend generates from the published schema and from its own operations. */
const config: CodegenConfig = {
  schema: '../schema.graphql',
  documents: 'operations/*.graphql',
  importExtension: '.js',
  generates: {
    // Parsed documents, as caches take them, and persisted-documents.json, which the gateway takes.
    'generated/documents/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false, persistedDocuments: true },
      config: types,
    },
    // Documents as texts, as a plain fetch takes them.
    'generated/texts/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: { ...types, documentMode: 'string' },
    },
    // Which types an interface or union can be: without it a cache cannot tell what `... on Error` selects.
    'generated/possible-types.ts': { plugins: ['fragment-matcher'], config: { useExplicitTyping: true } },
    'generated/introspection.ts': { plugins: ['urql-introspection'], config: { useTypeImports: true } },
    // The schema without federation's directives, which Relay does not know.
    'generated/api.graphql': { plugins: ['schema-ast'] },
  },
}
export default config
