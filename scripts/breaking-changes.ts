// Compares schema.graphql with that of another commit (the one before, unless one is named) and
// fails on a change that would break a client.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { CriticalityLevel, diff } from '@graphql-inspector/core'
import { buildASTSchema, parse } from 'graphql'

const base = process.argv[2] ?? 'HEAD^'

function schemaAt(commit: string): string | null {
  try {
    return execFileSync('git', ['show', `${commit}:schema.graphql`], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return null
  }
}

// The directives of federation are declared by its specification and not in the file.
const build = (sdl: string) => buildASTSchema(parse(sdl), { assumeValidSDL: true })

const before = schemaAt(base)
if (before === null) {
  process.stdout.write(`There is no schema.graphql at ${base} to compare with.\n`)
} else {
  const now = readFileSync(new URL('../schema.graphql', import.meta.url), 'utf8')
  const breaking = (await diff(build(before), build(now))).filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking)
  for (const { message } of breaking) process.stderr.write(`Breaking since ${base}: ${message}\n`)
  process.exitCode = breaking.length > 0 ? 1 : 0
}
