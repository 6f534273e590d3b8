// The few forms of command lines that the documentation uses. Anything else is an error: a test has to learn it first.
import { join } from 'node:path'
import { expect } from 'vitest'
import { z } from 'zod'
import { readCommand } from '../../src/commands/admin-commands.js'
import { environment, readSettings } from '../../src/settings.js'
import { contentOf, exists } from './pages.js'

/** What is set beside the settings: a key in a terminal, and what tests are told. */
const OTHER_VARIABLES = ['KEY', 'WITHOUT', 'FUZZ_RUNS', 'FUZZ_SEED']
const WORD = /(?<comment>#[^\n]*)|(?<end>&&|\n)|'(?<single>[^']*)'|"(?<double>[^"]*)"|(?<plain>[^\s'"]+)/g

/** The words of each command in a text. */
export function commandsIn(text: string): string[][] {
  const commands: string[][] = [[]]
  for (const { groups = {} } of text.matchAll(WORD)) {
    if (groups['end'] !== undefined) commands.push([])
    else if (groups['comment'] === undefined) commands.at(-1)?.push(groups['single'] ?? groups['double'] ?? groups['plain'] ?? '')
  }
  return commands.filter((words) => words.length > 0)
}

export const settingNames = Object.keys(environment.shape)
const manifest = z.object({ scripts: z.record(z.string(), z.string()) })
export const scriptsOf = (folder: string) => Object.keys(manifest.parse(JSON.parse(contentOf(join(folder, 'package.json')))).scripts)

/** Checks that a command is one that there is, and takes what it is given. Answers the folder of the next one. */
export function checkCommand(folder: string, words: string[]): string {
  const assignments = words.slice(words[0] === 'export' ? 1 : 0).map((word) => /^([A-Z_]+)=(.*)$/.exec(word))
  const first = assignments.findIndex((it) => it === null)
  for (const [, name = '', value = ''] of assignments.slice(0, first === -1 ? undefined : first).filter((it) => it !== null)) {
    expect([...settingNames, ...OTHER_VARIABLES]).toContain(name)
    readSettings({ [name]: value })
  }
  const [command, ...args] = first === -1 ? [] : words.slice(words[0] === 'export' ? 1 : 0).slice(first)
  const line = words.join(' ')
  const inFolder = (path = '') => expect(exists(join(folder, path)), `${line}: ${path}`).toBe(true)
  if (command === undefined) return folder
  if (command === 'cd') {
    inFolder(args[0])
    return join(folder, args[0] ?? '')
  }
  if (command === 'node') inFolder(args[0])
  else if (command === 'npm' && args[0] === 'ci') inFolder('package-lock.json')
  else if (command === 'npm') checkScript(folder, args[0] === 'run' ? args.slice(1) : args)
  else if (command === 'npx') for (const path of [`node_modules/.bin/${args[0]}`, ...args.filter((arg) => arg.includes('/'))]) inFolder(path)
  else throw new Error(`What is to be tested of: ${line}`)
  return folder
}

function checkScript(folder: string, [name = '', separator, ...args]: string[]): void {
  expect(scriptsOf(folder)).toContain(name)
  if (name !== 'admin') return
  expect(separator).toBe('--')
  readCommand(args)
  for (const file of args.filter((arg) => arg.endsWith('.json'))) expect(exists(file), file).toBe(true)
}

/** What a curl of the documentation sends. */
export function requestOf([, ...words]: string[]): { url: string; headers: Record<string, string>; body: string } {
  const request = { url: '', headers: {}, body: '' }
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const [name = '', value = ''] = word === '-H' ? (words.shift() ?? '').split(': ') : []
    if (word === '-H') Object.assign(request.headers, { [name]: value })
    else if (word === '-d') request.body = words.shift() ?? ''
    else if (word.startsWith('http')) request.url = word
    else expect(word).toBe('-s')
  }
  return request
}
