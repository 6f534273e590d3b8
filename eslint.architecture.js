// @ts-check
// Who may know whom in src/: docs/architecture.md says why.
import { readdirSync } from 'node:fs'
import { URL } from 'node:url'
import { defineConfig } from 'eslint/config'

/** From the top down: a folder knows those below it, and none above. */
const layers = [
  'commands', 'server', 'demo', 'import', 'observability', 'executor', 'sql-store',
  'results', 'records', 'assessments', 'templates', 'organisations',
  'versioning', 'graphql', 'domain', 'database', 'request-scope', 'process', 'generated',
]
const modules = ['organisations', 'templates', 'assessments', 'records', 'results']
/** What a module shows to later ones. */
const shown = 'access|loaders|rules|schema|service'

const folders = readdirSync(new URL('src/', import.meta.url), { withFileTypes: true }).flatMap((it) => (it.isDirectory() ? [it.name] : []))
for (const folder of folders) if (!layers.includes(folder)) throw new Error(`src/${folder} has no place in eslint.architecture.js.`)

/** @param {string} regex of what is imported @param {string} message */
const forbidden = (regex, message) => ({ regex, message })

const upwards = layers.map((layer, index) => {
  const above = [...layers.slice(0, index).map((it) => `${it}/`), ...(layer === 'commands' ? [] : ['settings\\.js']), 'main\\.js'].join('|')
  const patterns = [forbidden(`^(\\.\\./)+(${above})`, 'Imports go downwards only: see eslint.architecture.js.')]
  if (modules.includes(layer)) {
    patterns.push(forbidden(`^(\\.\\./)+(${modules.filter((it) => it !== layer).join('|')})/(?!(${shown})\\.js$)`, `Other modules may import only ${shown.replaceAll('|', ', ')} of a module.`))
  }
  return { layer, patterns }
})

const versioned = '/^(assessment|assessmentRecord|assessmentResult)$/'
const writes = '/^(create|createMany|createManyAndReturn|update|updateMany|updateManyAndReturn|upsert|delete|deleteMany)$/'
const readsEnvironment = { selector: 'MemberExpression[object.name="process"][property.name="env"]', message: 'settings.ts reads the environment.' }
const unnotedTransaction = { selector: 'MemberExpression[property.name="$transaction"]', message: 'A transaction of a request is run by versioning/noted-writes.ts.' }
const aroundTheGate = [
  { selector: `CallExpression > MemberExpression[property.name=${writes}] > MemberExpression.object[property.name=${versioned}]`, message: 'A versioned row is written through versioning/gate.ts.' },
  { selector: 'TemplateElement[value.raw=/\\b(INSERT INTO|UPDATE|DELETE FROM|MERGE INTO|TRUNCATE)\\s+(ONLY\\s+)?"(Assessment|AssessmentRecord|AssessmentResult)"/i]', message: 'A versioned row is written through versioning/gate.ts.' },
]

/** @type {import('eslint').Linter.Config[]} */
const directions = upwards.map(({ layer, patterns }) => ({
  files: [`src/${layer}/**/*.ts`],
  rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns }] },
}))

export default defineConfig(
  ...directions,
  {
    // Rules are pure: they know other rules and the words of the domain, and do nothing.
    files: ['src/**/rules.ts', 'src/**/*-rules.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [forbidden('^(?!zod$|\\./([a-z]+-)?rules\\.js$|\\.\\./[a-z]+/rules\\.js$|\\.\\./domain/(failures|json|validation)\\.js$)', 'Rules do no I/O and know nothing that does.')] },
      ],
      'no-restricted-globals': ['error', 'process', 'fetch', 'console', 'globalThis'],
    },
  },
  {
    // What use cases mean, they mean without GraphQL.
    files: ['src/**/service.ts', 'src/**/*-service.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [forbidden('(^|/)graphql|pothos|yoga|/schema\\.js$', 'A service knows no GraphQL.')] }] },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/settings.ts', 'src/main.ts', 'src/commands/**', 'src/versioning/gate.ts'],
    rules: { 'no-restricted-syntax': ['error', readsEnvironment, ...aroundTheGate] },
  },
  {
    files: modules.map((name) => `src/${name}/**/*.ts`),
    rules: { 'no-restricted-syntax': ['error', readsEnvironment, unnotedTransaction, ...aroundTheGate] },
  },
  {
    files: ['src/main.ts', 'src/commands/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...aroundTheGate, { selector: 'MemberExpression > MemberExpression.object[object.name="process"][property.name="env"]', message: 'settings.ts reads the environment; hand it over whole.' }] },
  },
  { files: ['src/**/*.ts'], rules: { 'max-lines': ['error', { max: 250 }] } },
  {
    files: ['src/**/{util,utils,helper,helpers,misc,common,shared}{.ts,/**}'],
    rules: { 'no-restricted-syntax': ['error', { selector: 'Program', message: 'A file is named for what it answers for.' }] },
  },
)
