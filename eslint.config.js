// @ts-check
import { defineConfig } from 'eslint/config'
import eslint from '@eslint/js'
import graphql from '@graphql-eslint/eslint-plugin'
import tseslint from 'typescript-eslint'
import architecture from './eslint.architecture.js'

export default defineConfig(
  { ignores: ['dist', 'src/generated', 'test/generated', 'node_modules', 'interop', 'bench'] },
  {
    files: ['**/*.ts', '**/*.js'],
    extends: [eslint.configs.recommended, tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'never' }],
      '@typescript-eslint/no-confusing-void-expression': 'off',
      // Node, Yoga and Pothos take functions apart from their objects by design.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      // Lengths count code points, which is what spreading a string gives.
      '@typescript-eslint/no-misused-spread': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, varsIgnorePattern: '^_$' }],
    },
  },
  ...architecture,
  {
    files: ['schema.graphql'],
    languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema: './schema.graphql' } } },
    plugins: { '@graphql-eslint': graphql },
    rules: {
      ...graphql.configs['flat/schema-recommended'].rules,
      ...graphql.configs['flat/schema-relay'].rules,
      // Values, payloads and errors have no identity of their own: only what implements Node has an id.
      '@graphql-eslint/strict-id-in-types': 'off',
      // A revision is known by its row and version, so that its edge holds no Node; lists of values
      // and the whole, short lists of a row are no connections.
      '@graphql-eslint/relay-edge-types': ['error', { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false }],
    },
  },
)
