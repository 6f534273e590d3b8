import { createHash, randomBytes } from 'node:crypto'
import { renderGraphiQL } from '@graphql-yoga/render-graphiql'
import type { GraphiQLOptions } from 'graphql-yoga'
import type { Logger } from 'pino'
import type { PrismaClient } from '../../generated/prisma/client.js'
import type { HttpResponse } from '../http/answer.js'
import type { HttpRequest } from '../http/http-request.js'
import { type Example, findExamples } from './examples.js'

const TITLE = 'Assessment gateway'

export interface GraphiqlPageOptions {
  db: PrismaClient
  /** The key that the page sends unless told otherwise, if there is one to show. */
  demoKey: string | undefined
  log: Logger
}

/**
 * Answers a browser that opens the GraphQL path with GraphiQL's page, and looks at nothing else of its request; undefined for
 * every other request. The page holds all of its assets; its tabs are working examples.
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
    // The demo key comes with every page, and no other key is ours to leave in the browser's storage.
    shouldPersistHeaders: false,
    // With a key in place, the variables are what a person changes.
    defaultEditorToolsVisibility: demoKey === undefined ? 'headers' : 'variables',
  }
}

function json(value: object): string {
  return JSON.stringify(value, null, 2)
}

/** Names the demo key without telling it. */
function identityOf(demoKey: string | undefined): string {
  return createHash('sha256').update(`examples of ${demoKey ?? 'nobody'}`).digest('base64url')
}

/**
 * A browser keeps the tabs of its last visit. When they were filled from another database, or by
 * another program at this address, they name rows that are not here, and the page starts afresh.
 * Without a first query GraphiQL would open an empty tab at the next visit.
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
 * GraphiQL hides the tabs that do not fit, and shifts one aside at the first press on it, so that the
 * click misses it. Here all of them are in sight and stay where they are. Its editor frames dashes as
 * though they were mistaken for hyphens; in the names of assessments they are meant.
 */
const STYLE = `
  .graphiql-container .graphiql-session-header { height: auto; align-items: end }
  .graphiql-tabs { flex-wrap: wrap; row-gap: 0 }
  .graphiql-tab { transform: none !important }
  .graphiql-logo { white-space: nowrap }
  .graphiql-container .unicode-highlight { border: 0; background: none }`

let template: [beforeScript: string, beforeOptions: string, afterOptions: string] | undefined

function page(options: GraphiQLOptions, examples: string, nonce: string): string {
  template ??= pageTemplate()
  const [beforeScript, beforeOptions, afterOptions] = template
  const start = { examples, query: options.defaultTabs?.[0]?.query ?? '' }
  const ours = `<style>${STYLE}</style>
      <script nonce="${nonce}">{ const { examples, query } = ${inScript(start)}${START_AFRESH} }</script>`
  return `${beforeScript}${ours}<script nonce="${nonce}">${beforeOptions}${inScript(options)}${afterOptions}`
}

/** What the package renders, cut where our nonce and our options go: it would not escape them. */
function pageTemplate(): NonNullable<typeof template> {
  const placeholder = { title: TITLE }
  const rendered = renderGraphiQL(placeholder)
  const script = '<script>'
  const options = JSON.stringify(placeholder)
  const [start, end] = [rendered.indexOf(script), rendered.lastIndexOf(options)]
  if (start < 0 || end < start) throw new Error('GraphiQL renders another page than this version knows.')
  return [rendered.slice(0, start), rendered.slice(start + script.length, end), rendered.slice(end + options.length)]
}

/** JSON that no data can turn into the end of the script around it. */
function inScript(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c')
}

/** The page runs its own scripts and nobody else's, talks to this server only and is shown in no frame. */
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
