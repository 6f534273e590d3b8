// Somebody who reads a page of the documentation from top to bottom and does all that it says.
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Kind, parse, validate } from 'graphql'
import { expect } from 'vitest'
import { z } from 'zod'
import { federationPage } from '../../interop/federation-page.js'
import { schema } from '../../src/server/schema.js'
import { afterTest, type GatewayProcess, ownDirectory, seededDirectory, startGateway } from '../gateway-process.js'
import { type Block, contentOf, type Page, root } from './pages.js'
import { checkCommand, commandsIn, requestOf } from './shell.js'

const GATEWAY = 'http://127.0.0.1:4000/graphql'
const SUPERGRAPH = 'http://127.0.0.1:4002/graphql'
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g

const record = z.record(z.string(), z.unknown())

/** What is asked and not yet sent. */
interface Question {
  variables: string | undefined
  ask(): AsyncIterator<unknown>
}

export class Reader {
  #gateway: GatewayProcess | undefined
  #document = ''
  #question: Question | undefined
  #answers: AsyncIterator<unknown> | undefined
  /** The ids that this gateway has, by those on the page, which are of another one. */
  readonly #ids = new Map<string, string>()

  constructor(readonly page: Page) {}

  async read(): Promise<void> {
    for (const block of this.page.blocks) {
      try {
        await this.#do(block)
      } catch (cause) {
        throw new Error(`${this.page.path}, line ${block.line}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
      }
    }
    await this.#sendUnanswered()
  }

  async #do({ kind, text, linked }: Block): Promise<void> {
    switch (kind) {
      case 'sh':
        return this.#runCommands(text)
      case 'graphql':
        return isExecutable(text) ? this.#take(text) : expectPartOf(linked, text)
      case 'json variables':
        if (this.#question?.variables !== undefined) await this.#sendUnanswered()
        return this.#askWith(text)
      case 'json request':
        await this.#sendUnanswered()
        return this.#askFor(() => this.#send(text))
      case 'json':
        return this.#compare(text)
      case 'json persisted-documents.json':
        // The gateway reads it when it starts.
        expect(this.#gateway).toBeUndefined()
        for (const [id, document] of Object.entries(record.parse(JSON.parse(text)))) expect(id).toBe(`sha256:${createHash('sha256').update(String(document)).digest('hex')}`)
        return
      case 'text':
        return expectPrinted(text, (await this.#running()).stdout)
      case 'ts':
      case 'js':
        return expectPartOf(linked, text)
      case '':
        return expectNamesOfFiles(text)
      default:
        throw new Error(`What is to be tested of a block of ${kind}?`)
    }
  }

  /* ---- requests -------------------------------------------------------------------------------- */

  async #take(document: string): Promise<void> {
    await this.#sendUnanswered()
    expect(validate(schema, parse(document))).toEqual([])
    this.#document = document
    this.#askWith(undefined)
  }

  #askWith(variables: string | undefined): void {
    const body = JSON.stringify({ query: this.#document, variables: variables && this.#translated(variables) })
    this.#askFor(() => this.#send(body), variables)
  }

  #askFor(ask: () => AsyncIterator<unknown>, variables?: string): void {
    this.#question = { variables, ask }
    this.#answers = undefined
  }

  /** The page shows no answer, which must be a success then. */
  async #sendUnanswered(): Promise<void> {
    const answer = await this.#question?.ask().next()
    this.#question = undefined
    if (answer) expect(answer.value).not.toHaveProperty('errors')
  }

  /** The next answer to what was asked is as shown, at least in those of data, errors and extensions that are shown. */
  async #compare(shown: string): Promise<void> {
    this.#answers ??= this.#question?.ask()
    this.#question = undefined
    const answer = record.parse((await this.#answers?.next())?.value)
    const documented = record.parse(JSON.parse(shown))
    const same = Object.fromEntries(Object.entries(answer).filter(([name]) => name in documented))
    this.#learnIds(shown, same)
    expect(same).toEqual(this.#translated(shown))
  }

  /** Answers have their ids in the order in which the page shows them. */
  #learnIds(shown: string, answer: object): void {
    const ids = JSON.stringify(answer).match(UUID) ?? []
    for (const [index, id] of (shown.match(UUID) ?? []).entries()) if (!this.#ids.has(id)) this.#ids.set(id, ids[index] ?? id)
  }

  #translated(shown: string): unknown {
    return JSON.parse(shown.replace(UUID, (id) => this.#ids.get(id) ?? id))
  }

  async *#send(body: string): AsyncGenerator<unknown, undefined> {
    const gateway = await this.#running()
    const leaving = new AbortController()
    afterTest(() => Promise.resolve(leaving.abort()))
    const isStream = /"query":"\s*subscription/.test(body)
    const response = await fetch(gateway.url, {
      method: 'POST',
      headers: { apikey: gateway.keys[0] ?? '', 'content-type': 'application/json', accept: isStream ? 'text/event-stream' : '*/*' },
      body,
      signal: leaving.signal,
    })
    if (!isStream) {
      yield await response.json()
      return
    }
    let received = ''
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const events = (received + chunk).split('\n\n')
      received = events.pop() ?? ''
      for (const event of events) {
        const data = /^data: (.+)$/m.exec(event)?.[1]
        if (data !== undefined) yield JSON.parse(data)
      }
    }
  }

  /** The gateway of this page, on the demo data as it is at first. */
  async #running(): Promise<GatewayProcess> {
    if (this.#gateway) return this.#gateway
    const documents = this.page.blocks.find(({ kind }) => kind === 'json persisted-documents.json')
    const env: Record<string, string> = { DATA_DIR: await seededDirectory() }
    if (documents) {
      env['PERSISTED_DOCUMENTS'] = join(await ownDirectory(), 'persisted-documents.json')
      await writeFile(env['PERSISTED_DOCUMENTS'], documents.text)
    }
    return (this.#gateway = await startGateway(env).listening())
  }

  /* ---- commands -------------------------------------------------------------------------------- */

  async #runCommands(text: string): Promise<void> {
    await this.#sendUnanswered()
    let folder = '.'
    for (const words of commandsIn(text)) {
      if (words[0] === 'curl') this.#curl(words)
      else folder = checkCommand(folder, words)
    }
  }

  #curl(words: string[]): void {
    const { url, headers, body } = requestOf(words)
    expect(headers).toEqual({ apikey: '$KEY', 'content-type': 'application/json' })
    if (url === SUPERGRAPH) {
      // interop/example.test.ts sends it through that supergraph, and compares the answer.
      expect(body).toBe(federationPage.request)
      return this.#askFor(() => oneAnswer(JSON.parse(federationPage.answer)))
    }
    expect(url).toBe(GATEWAY)
    this.#askFor(() => this.#send(body))
  }
}

async function* oneAnswer(answer: unknown): AsyncGenerator<unknown, undefined> {
  yield await Promise.resolve(answer)
}

function isExecutable(text: string): boolean {
  try {
    return parse(text).definitions.some(({ kind }) => kind === Kind.OPERATION_DEFINITION)
  } catch {
    return false
  }
}

/* ---- blocks that nothing is sent of --------------------------------------------------------------- */

const unindented = (text: string) => text.split('\n').map((line) => line.trim()).filter(Boolean).join('\n')

/** The file is one that is compiled and run by tests, and has these lines. */
function expectPartOf(file: string | undefined, lines: string): void {
  expect(file, 'a link to the file that these lines are taken from').toMatch(/^(src|test|scripts|prisma|interop)\/.*\.(ts|js|graphql)$/)
  expect(unindented(contentOf(file ?? ''))).toContain(unindented(lines))
}

function expectPrinted(text: string, stdout: string): void {
  const printed = stdout.split('\n')
  for (const line of text.split('\n').filter(Boolean)) {
    const [start = '', end = ''] = line.split('...')
    expect(printed.some((it) => it.startsWith(start) && it.endsWith(end)), line).toBe(true)
  }
}

/** What looks like a file or a folder in a drawing is one, wherever it is. */
function expectNamesOfFiles(drawing: string): void {
  const paths = ['src', 'test', 'prisma', 'scripts', 'operations'].flatMap((folder) => [folder, ...readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`)])
  const names = [...drawing.matchAll(/[\w.-]+(?:\/[\w.-]+)*\/?/g)].map(([name]) => name).filter((name) => /\.(ts|js|graphql|prisma)$|\/$|^(src|test)\//.test(name))
  const unknown = names.map((name) => name.replace(/\/$/, '')).filter((name) => !paths.some((path) => path === name || path.endsWith(`/${name}`)))
  expect(unknown).toEqual([])
}
