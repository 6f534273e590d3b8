// Where the code may reach: read from the syntax of src/, not from its behaviour.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../src/', import.meta.url))

/** In this order: a room knows only the rooms before it. */
const rooms = ['organisations', 'templates', 'assessments', 'records', 'results']
/** What a room shows to later rooms; rules.ts is the vocabulary of its JSON documents. */
const shown = ['schema.ts', 'service.ts', 'loaders.ts', 'access.ts', 'rules.ts']

interface SourceFile {
  /** From src/ on, e.g. `records/service.ts`. */
  path: string
  /** The room that it belongs to, or `shared`, or null for the files at the top. */
  place: string | null
  text: string
  syntax: ts.SourceFile
  /** Files of src/ as their path, packages by their name. */
  imports: string[]
}

const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.(ts|js)$/.test(path) && !path.startsWith('generated/'))
  .map((path): SourceFile => {
    const text = readFileSync(join(root, path), 'utf8')
    const syntax = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
    const place = path.includes('/') ? (path.split('/')[0] ?? null) : null
    return { path, place, text, syntax, imports: importsOf(syntax, path) }
  })

test('rooms import only what an earlier room shows, and src/shared imports no room', () => {
  const illegal = files.flatMap(({ path, place, imports }) =>
    imports.flatMap((imported) => {
      const [from, file = ''] = imported.split('/')
      if (from === undefined || from === place || !rooms.includes(from) || !imported.endsWith('.ts')) return []
      if (place === 'shared') return [`${path} -> ${imported}`]
      if (place === null || !rooms.includes(place)) return []
      const legal = rooms.indexOf(from) < rooms.indexOf(place) && shown.includes(file)
      return legal ? [] : [`${path} -> ${imported}`]
    }),
  )
  expect(illegal).toEqual([])
})

test('every folder of src is a room, shared, http, observability or generated', () => {
  expect([...new Set(files.flatMap(({ place }) => place ?? []))].sort()).toEqual([...rooms, 'shared', 'http', 'observability'].sort())
})

test('rules are pure: no Prisma, no context, nothing of Node', () => {
  const rules = files.filter(({ path }) => /(^|[/-])rules\.ts$/.test(path))
  expect(rules.map(({ path }) => path)).toEqual(expect.arrayContaining(['templates/rules.ts', 'assessments/refresh-rules.ts']))
  const illegal = rules.flatMap(({ path, imports }) =>
    imports
      .filter((it) => it !== 'zod' && !(it.endsWith('rules.ts') || it.startsWith('shared/')))
      .map((it) => `${path} -> ${it}`),
  )
  expect(illegal).toEqual([])
  const reachable = rules.flatMap(({ path }) =>
    [...reachableFrom(path)].filter(isImpure).map((it) => `${path} reaches ${it}`),
  )
  expect(reachable).toEqual([])
  const impure = rules.flatMap(({ path, syntax }) =>
    identifiersOf(syntax).filter((name) => ['process', 'fetch', 'console', 'globalThis'].includes(name)).map((name) => `${path} uses ${name}`),
  )
  expect(impure).toEqual([])
})

test('services know no GraphQL', () => {
  const services = files.filter(({ path }) => /(^|[/-])service\.ts$/.test(path))
  expect(services.map(({ path }) => path)).toEqual(expect.arrayContaining(['records/service.ts', 'assessments/refresh-service.ts']))
  const illegal = services.flatMap(({ path, imports }) =>
    imports
      .filter((it) => /(^|\/)(schema|builder|errors|payload|versioned-type|stored-columns|connections|pagination)\.ts$/.test(it) || /graphql|pothos|yoga/.test(it))
      .map((it) => `${path} -> ${it}`),
  )
  expect(illegal).toEqual([])
})

test('only settings.ts reads the environment; entries hand it over and name nothing of it', () => {
  const uses = files.flatMap(({ path, syntax }) => environmentUses(syntax).map((use) => `${path}: ${use}`))
  const readers = uses.filter((use) => !use.startsWith('settings.ts: ') && !/^[a-z-]+\.ts: handed over$/.test(use))
  expect(readers).toEqual([])
  expect(uses).toContain('main.ts: handed over')
})

test('only the gate changes a versioned row', () => {
  const around = files
    .filter(({ path }) => path !== 'shared/versioned.ts')
    .flatMap(({ path, syntax, text }) => [
      ...changesOf(syntax).map((change) => `${path}: ${change}`),
      ...(/\b(UPDATE|DELETE\s+FROM|MERGE\s+INTO|TRUNCATE)\s+(ONLY\s+)?"(Assessment|AssessmentRecord|AssessmentResult)"/i.test(text)
        ? [`${path}: raw SQL`]
        : []),
    ])
  expect(around).toEqual([])
})

test('no file of src is longer than 250 lines', () => {
  const long = files.filter(({ text }) => text.trimEnd().split('\n').length > 250).map(({ path }) => path)
  expect(long).toEqual([])
})

test('every file is named for what it answers for', () => {
  const vague = files.map(({ path }) => path).filter((path) => /(^|[/-])(utils?|helpers?|misc|common|stuff)\b/i.test(path))
  expect(vague).toEqual([])
})

/* ---- reading syntax ---------------------------------------------------------------------------- */

/** What a file imports or re-exports, statically or not, for types alone included. */
function importsOf(syntax: ts.SourceFile, path: string): string[] {
  const found: string[] = []
  visit(syntax, (node) => {
    const named =
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
        ? node.moduleSpecifier
        : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
          ? node.arguments[0]
          : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
            ? node.argument.literal
            : undefined
    if (!named || !ts.isStringLiteral(named)) return
    const relative = named.text.startsWith('.')
    found.push(relative ? normalize(join(dirname(path), named.text)).replace(/\.js$/, '.ts') : named.text)
  })
  return found
}

/** Every file of src that runs when `path` is loaded, and every package; types alone run nothing. */
function reachableFrom(path: string, seen = new Set<string>()): Set<string> {
  const file = files.find((it) => it.path === path)
  for (const imported of file ? runtimeImportsOf(file.syntax, path) : []) {
    if (seen.has(imported)) continue
    seen.add(imported)
    reachableFrom(imported, seen)
  }
  return seen
}

function runtimeImportsOf(syntax: ts.SourceFile, path: string): string[] {
  const typesOnly = new Set<string>()
  for (const node of syntax.statements) {
    if (!ts.isImportDeclaration(node) || !ts.isStringLiteral(node.moduleSpecifier)) continue
    const clause = node.importClause
    const bindings = clause?.namedBindings
    const onlyTypes =
      clause?.phaseModifier === ts.SyntaxKind.TypeKeyword ||
      (clause && !clause.name && bindings && ts.isNamedImports(bindings) && bindings.elements.every((it) => it.isTypeOnly))
    if (onlyTypes) typesOnly.add(node.moduleSpecifier.text)
  }
  const resolved = new Set([...typesOnly].map((it) => (it.startsWith('.') ? normalize(join(dirname(path), it)).replace(/\.js$/, '.ts') : it)))
  return importsOf(syntax, path).filter((it) => !resolved.has(it))
}

function isImpure(imported: string): boolean {
  return imported.startsWith('node:') || imported.startsWith('generated/') || /prisma/i.test(imported) || imported === 'context.ts'
}

function identifiersOf(syntax: ts.SourceFile): string[] {
  const found: string[] = []
  visit(syntax, (node) => {
    if (ts.isIdentifier(node)) found.push(node.text)
  })
  return found
}

/** Each use of `process.env`: what is read of it, or that it is handed over whole as an argument. */
function environmentUses(syntax: ts.SourceFile): string[] {
  const found: string[] = []
  visit(syntax, (node) => {
    if (!ts.isPropertyAccessExpression(node) || node.name.text !== 'env') return
    const of = node.expression.getText()
    if (of !== 'process' && of !== 'import.meta') return
    const isArgument = ts.isCallExpression(node.parent) && node.parent.arguments.some((argument) => argument === node)
    found.push(isArgument ? 'handed over' : node.parent.getText())
  })
  return found
}

const versionedModels = ['assessment', 'assessmentRecord', 'assessmentResult']
const changingMethods = ['update', 'updateMany', 'updateManyAndReturn', 'upsert', 'delete', 'deleteMany']

/** Calls like `db.assessment.update(...)`, also as `db['assessment']` or through `const { assessment } = db`. */
function changesOf(syntax: ts.SourceFile): string[] {
  const found: string[] = []
  visit(syntax, (node) => {
    if (!ts.isPropertyAccessExpression(node) && !ts.isElementAccessExpression(node)) return
    const method = accessedName(node)
    const model = accessedName(node.expression)
    if (method && model && changingMethods.includes(method) && versionedModels.includes(model)) found.push(node.getText())
  })
  return found
}

/** The last name of `a.b`, `a['b']` or `b`. */
function accessedName(node: ts.Expression): string | undefined {
  if (ts.isNonNullExpression(node) || ts.isParenthesizedExpression(node)) return accessedName(node.expression)
  if (ts.isIdentifier(node)) return node.text
  if (ts.isPropertyAccessExpression(node)) return node.name.text
  return ts.isElementAccessExpression(node) && ts.isStringLiteral(node.argumentExpression) ? node.argumentExpression.text : undefined
}

function visit(node: ts.Node, act: (node: ts.Node) => void): void {
  act(node)
  ts.forEachChild(node, (child) => visit(child, act))
}
