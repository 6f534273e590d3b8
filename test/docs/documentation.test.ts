// What README and docs say is so: each block of code does what is written, each name is the name of something, each link leads somewhere.
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { readCommand } from '../../src/commands/admin-commands.js'
import { MAXIMUM_UNANSWERED } from '../../src/server/http/connections.js'
import { RECEIVE_TIMEOUTS } from '../../src/server/http/http-server.js'
import { environment } from '../../src/settings.js'
import { seededDirectory, startGateway } from '../gateway-process.js'
import { brokenLinks, codeIn, contentOf, exists, pageNamed, pages, rowsIn } from './pages.js'
import { Reader } from './reader.js'
import { scriptsOf, settingNames } from './shell.js'

/** Commands of npm itself. */
const NPM_COMMANDS = ['ci', 'install']

const operating = pageNamed('docs/operating.md')

describe.each(pages.map((page) => [page.path, page] as const))('%s', (_, page) => {
  test('each of its blocks is run, or is part of a file that is', { timeout: 180_000 }, async () => {
    expect(page.prose).not.toMatch(/```|~~~/)
    await new Reader(page).read()
  })

  test('each of its links leads somewhere', () => {
    expect(brokenLinks(page)).toEqual([])
  })

  test('each command and each file that it names is there', () => {
    const code = codeIn(page)
    const scripts = code.flatMap((it) => /npm (?:run )?(?:-s )?([a-z][\w:-]*)/.exec(it)?.[1] ?? []).filter((name) => !NPM_COMMANDS.includes(name))
    expect(scripts.filter((name) => !scriptsOf('.').includes(name))).toEqual([])
    const paths = code.filter((it) => /^(src|test|scripts|prisma|operations|docs|interop|bench)\/[\w./-]*$/.test(it))
    expect(paths.filter((path) => !exists(path))).toEqual([])
  })
})

test('README.md is a page and a half, and names the command of the tests', () => {
  expect(contentOf('README.md').split('\n').length).toBeLessThan(120)
  expect(codeIn(pageNamed('README.md'))).toContain('npm test')
})

describe('docs/operating.md has', () => {
  /** Each setting of its tables with its default, where it has one. */
  const settings = rowsIn(operating).flatMap(([names = '', defaults = '']) => {
    const all = codeIn({ prose: names })
    if (!all.every((name) => /^[A-Z_]+$/.test(name))) return []
    const values = defaults.split(', ').map((value) => value.replaceAll(/[`,]/g, ''))
    return all.map((name, index) => [name, values[index] ?? values[0]] as const)
  })

  test('every setting once, with its default', () => {
    const defaults = Object.entries(environment.parse({}))
    const expected = settingNames.map((name) => {
      const value = defaults.find(([it]) => it === name)?.[1]
      return [name, value === undefined || Array.isArray(value) ? '–' : String(value)] as const
    })
    expect(settings.toSorted()).toEqual(expected.toSorted())
  })

  test('how long clients may take, and how many requests they may send at once', () => {
    const { headers, request } = RECEIVE_TIMEOUTS
    const told = [`${headers / 1000} seconds to send the headers of a request and ${request / 1000} for all of it`, `a ${MAXIMUM_UNANSWERED + 1}th request`]
    for (const words of told) expect(operating.prose).toContain(words)
  })

  test('every metric', async () => {
    const gateway = await startGateway({ DATA_DIR: await seededDirectory(), METRICS_PORT: '0' }).listening()
    const answer = await fetch(/^Metrics {2}(\S+)$/m.exec(gateway.stdout)?.[1] ?? '')
    const measured = [...(await answer.text()).matchAll(/^# TYPE (gateway_\w+)/gm)].map(([, name = '']) => name)
    const named = rowsIn(operating).flatMap(([names = '']) => codeIn({ prose: names }).filter((name) => name.startsWith('gateway_')))
    expect(named.map((name) => name.replace(/\{.*/, '')).toSorted()).toEqual(measured.toSorted())
  })

  test('every command', () => {
    const code = codeIn(operating)
    expect(scriptsOf('.').filter((name) => !code.some((it) => it.includes(`npm run ${name}`) || it.includes(`npm ${name}`)))).toEqual([])
    expect(code.filter((it) => it.startsWith('npm run admin -- '))).toEqual(usageOfAdmin())
  })

  function usageOfAdmin(): string[] {
    try {
      readCommand([])
    } catch (error) {
      return String(error).split('\n').flatMap((line) => /^ {2}(npm run admin .*)$/.exec(line)?.[1] ?? [])
    }
    throw new Error('No command at all was accepted.')
  }
})

test('docs/dependencies.md names every package of package.json, and no other', () => {
  const names = z.record(z.string(), z.unknown())
  const { dependencies, devDependencies, overrides } = z
    .object({ dependencies: names, devDependencies: names, overrides: names })
    .parse(JSON.parse(contentOf('package.json')))
  const rows = rowsIn(pageNamed('docs/dependencies.md')).flatMap(([packages = '', ...why]) => (why.length === 1 ? codeIn({ prose: packages }) : []))
  expect(rows.toSorted()).toEqual([...Object.keys(dependencies), ...Object.keys(devDependencies)].toSorted())
  expect(codeIn(pageNamed('docs/dependencies.md'))).toEqual(expect.arrayContaining(Object.keys(overrides)))
})

test('docs/dependencies.md names every package for production with an unusual licence, and who needs it', () => {
  const names = z.record(z.string(), z.unknown()).default({})
  const installed = z.record(z.string(), z.object({ dev: z.boolean().default(false), license: z.string().default('none'), dependencies: names, optionalDependencies: names }))
  const { packages } = z.object({ packages: installed }).parse(JSON.parse(contentOf('package-lock.json')))
  const nameOf = (path: string) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
  const forProduction = Object.entries(packages).filter(([path, { dev }]) => path !== '' && !dev)
  expect(forProduction.length).toBeGreaterThan(100)
  const unusual = forProduction.filter(([, { license }]) => !/^(MIT|Apache-2\.0|BSD-[23]-Clause|ISC|0BSD)$/.test(license))
  const neededBy = (name: string) => forProduction.filter(([, it]) => name in it.dependencies || name in it.optionalDependencies).map(([path]) => nameOf(path))
  const expected = unusual.map(([path, { license }]) => [nameOf(path), license, ...neededBy(nameOf(path))])
  const rows = rowsIn(pageNamed('docs/dependencies.md')).filter(([name = '', ...cells]) => cells.length === 2 && name.startsWith('`'))
  const named = rows.map(([name = '', licence = '', users = '']) => [...codeIn({ prose: name }), licence, ...codeIn({ prose: users })])
  expect(named.toSorted()).toEqual(expected.toSorted())
})
