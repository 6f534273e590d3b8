import { createHash, randomBytes } from 'node:crypto'
import { renderGraphiQL } from '@graphql-yoga/render-graphiql'
import type { GraphiQLOptions } from 'graphql-yoga'
import type { Logger } from 'pino'
import type { PrismaClient } from '../../generated/prisma/client.js'
import type { HttpResponse } from '../http/http-response.js'
import type { HttpRequest } from '../http/http-request.js'
import { type Example, findExamples } from './examples.js'

const TITLE = 'Assessment gateway'

export interface GraphiqlPageOptions {
  db: PrismaClient
  /** The API key that the page starts with, if there is a demo key. */
  demoKey: string | undefined
  log: Logger
}

/**
 * Returns a function that answers a browser's request for the GraphQL path with GraphiQL's page, and returns undefined for every other
 * request. The page contains all of its assets, and its tabs are examples that can be run.
 */
export function createGraphiqlPage({ db, demoKey, log }: GraphiqlPageOptions) {
  const answer = async (): Promise<HttpResponse> => {
    const nonce = randomBytes(16).toString('base64')
    const options = graphiqlOptions(await findExamples(db, demoKey, log), demoKey)
    return { status: 200, headers: pageHeaders(nonce), body: page(options, identityOf(demoKey), nonce) }
  }
  return ({ method, headers }: HttpRequest): Promise<HttpResponse> | undefined =>
    method === 'GET' && headers.get('accept')?.includes('text/html') ? answer() : undefined
}

const WITHOUT_DEMO_KEY = `# Put your API key under Headers below, then press the
# arrows at the bottom left, which let the page read the
# schema with that key.
`

function graphiqlOptions(examples: Example[], demoKey: string | undefined): GraphiQLOptions {
  const introduction = demoKey === undefined ? WITHOUT_DEMO_KEY : ''
  const headers = json({ apikey: demoKey ?? 'YOUR_API_KEY' })
  return {
    title: TITLE,
    defaultTabs: examples.map(({ query, variables }, index) => ({
      query: index === 0 ? introduction + query : query,
      variables: variables ? json(variables) : null,
      headers,
    })),
    defaultHeaders: headers,
    // The page brings the demo key each time, and other keys must not stay in the browser's storage.
    shouldPersistHeaders: false,
    // Without a key, a person has to enter one under Headers first.
    defaultEditorToolsVisibility: demoKey === undefined ? 'headers' : 'variables',
  }
}

function json(value: object): string {
  return JSON.stringify(value, null, 2)
}

/** Identifies the demo key, and so the database that the examples were filled from, without revealing the key. */
function identityOf(demoKey: string | undefined): string {
  return createHash('sha256').update(`examples of ${demoKey ?? 'nobody'}`).digest('base64url')
}

/**
 * GraphiQL keeps the tabs of the last visit in the browser's storage. If they were filled from another database, or by another program
 * at this address, they name rows that do not exist here, so this script removes them. It also stores the first query, without which
 * GraphiQL would open an empty tab at the next visit.
 */
const START_AFRESH = `
  const known = localStorage.getItem('assessment-gateway:examples')
  if (known !== examples) {
    for (const item of ['tabState', 'variables', 'headers']) localStorage.removeItem('graphiql:' + item)
    localStorage.setItem('graphiql:query', query)
    localStorage.setItem('assessment-gateway:examples', examples)
    if (known !== null) history.replaceState({}, '', location.pathname)
  }`

/**
 * GraphiQL hides tabs that do not fit, and moves a tab when it is pressed, so that the click misses it. With this style all tabs are
 * visible and do not move. Its editor also puts a frame around each dash, as if it were a mistyped hyphen; here dashes are intended.
 */
const STYLE = `
  .graphiql-container .graphiql-session-header { height: auto; align-items: end }
  .graphiql-tabs { flex-wrap: wrap; row-gap: 0 }
  .graphiql-tab { transform: none !important }
  .graphiql-logo { white-space: nowrap }
  .graphiql-container .unicode-highlight { border: 0; background: none }`

let template: [beforeScript: Buffer, beforeOptions: Buffer, afterOptions: Buffer] | undefined

/** The page in parts. The large ones are the same for all visitors, so that a page that waits to be sent takes little memory. */
function page(options: GraphiQLOptions, examples: string, nonce: string): Buffer[] {
  template ??= pageTemplate()
  const [beforeScript, beforeOptions, afterOptions] = template
  const start = { examples, query: options.defaultTabs?.[0]?.query ?? '' }
  const ours = `<style>${STYLE}</style>
      <script nonce="${nonce}">{ const { examples, query } = ${inScript(start)}${START_AFRESH} }</script>`
  return [beforeScript, Buffer.from(`${ours}<script nonce="${nonce}">`), beforeOptions, Buffer.from(inScript(options)), afterOptions]
}

/**
 * The package's page, cut into parts between which the nonce and the options go. They are inserted here because the package can set no
 * nonce and does not escape `<` in the options.
 *
 * @throws Error when the package renders a page that cannot be cut in this way.
 */
function pageTemplate(): NonNullable<typeof template> {
  const placeholder = { title: TITLE }
  const rendered = renderGraphiQL(placeholder)
  const script = '<script>'
  const options = JSON.stringify(placeholder)
  const [start, end] = [rendered.indexOf(script), rendered.lastIndexOf(options)]
  if (start < 0 || end < start) throw new Error('GraphiQL renders another page than this version knows.')
  const part = (from: number, to?: number) => Buffer.from(rendered.slice(from, to))
  return [part(0, start), part(start + script.length, end), part(end + options.length)]
}

/** JSON for use in a script element: without `<`, no value can contain `</script>`. */
function inScript(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c')
}

/** The page may run only its own scripts and connect only to this server, and no other page may frame it. */
function pageHeaders(nonce: string): Record<string, string> {
  const policy = {
    'default-src': "'none'",
    'script-src': `'nonce-${nonce}'`,
    'worker-src': 'blob:',
    'style-src': "'unsafe-inline'",
    'font-src': 'data:',
    'img-src': "'self' data:",
    'connect-src': "'self'",
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
  }
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': Object.entries(policy).map((directive) => directive.join(' ')).join('; '),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    // It holds the demo key.
    'cache-control': 'no-store',
  }
}
