// Compares schema.graphql with that of another commit and fails on a change that would break a client.
// Unless a commit is named, it is where the branch has left main; on main itself, the commit before.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { CriticalityLevel, diff } from '@graphql-inspector/core'
import { buildASTSchema, parse } from 'graphql'

/** What a git command prints; null where there is no such commit, as in a shallow clone, or no git. */
function git(...args: string[]): string | null {
  try {
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return null
  }
}

function usualBase(): string {
  const fork = git('merge-base', 'HEAD', 'origin/main')?.trim()
  return fork === undefined || fork === git('rev-parse', 'HEAD')?.trim() ? 'HEAD^' : fork
}

const base = process.argv[2] ?? usualBase()

// The directives of federation are declared by its specification and not in the file.
const build = (sdl: string) => buildASTSchema(parse(sdl), { assumeValidSDL: true })

const before = git('show', `${base}:schema.graphql`)
if (before === null) {
  process.stdout.write(`There is no schema.graphql at ${base} to compare with.\n`)
} else {
  const now = readFileSync(new URL('../schema.graphql', import.meta.url), 'utf8')
  const breaking = (await diff(build(before), build(now))).filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking)
  for (const { message } of breaking) process.stderr.write(`Breaking since ${base}: ${message}\n`)
  process.exitCode = breaking.length > 0 ? 1 : 0
}
