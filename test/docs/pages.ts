// The pages of the documentation, and the blocks of code in them.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))
export const contentOf = (path: string) => readFileSync(join(root, path), 'utf8')
export const exists = (path: string) => existsSync(join(root, path))

export interface Block {
  /** What stands behind the fence: its language, and after it what the block is. */
  kind: string
  text: string
  line: number
  /** What the text before it has linked to last. */
  linked: string | undefined
}

export interface Page {
  path: string
  blocks: Block[]
  /** The text without its blocks. */
  prose: string
}

const FENCED = /^( *)```(.*)\n([^]*?)^\1```$/gm
const LINK = /\]\(([^)\s]+)\)/g

const folders = ['.', 'docs', 'interop', 'bench', ...readdirSync(join(root, 'src'), { withFileTypes: true }).flatMap((it) => (it.isDirectory() ? [`src/${it.name}`] : []))]

export const pages: Page[] = folders.flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => pageAt(join(folder, name))),
)

function pageAt(path: string): Page {
  const text = contentOf(path)
  const blocks = [...text.matchAll(FENCED)].map(({ 2: kind = '', 3: code = '', index }) => {
    const before = text.slice(0, index)
    const link = [...before.matchAll(LINK)].at(-1)?.[1]
    return { kind, text: code, line: before.split('\n').length, linked: link === undefined ? undefined : placeOf(path, link).path }
  })
  return { path, blocks, prose: text.replace(FENCED, '') }
}

/** Where a relative link of a page leads to. */
function placeOf(page: string, link: string): { path: string; heading: string | undefined } {
  const [path = '', heading] = link.split('#')
  return { path: path === '' ? page : normalize(join(dirname(page), path)), heading }
}

/** The links of a page that lead to nowhere in this repository. */
export function brokenLinks({ path, prose }: Page): string[] {
  const links = [...prose.matchAll(LINK)].map(([, link = '']) => link)
  return links.filter((link) => {
    if (/^https?:/.test(link)) return false
    const place = placeOf(path, link)
    if (place.path.startsWith('..') || !exists(place.path)) return true
    return place.heading !== undefined && !headingsOf(place.path).includes(place.heading)
  })
}

/** The headings of a page as addresses name them. */
function headingsOf(path: string): string[] {
  const headings = contentOf(path).replace(FENCED, '').matchAll(/^#+ (.*)$/gm)
  return [...headings].map(([, text = '']) => text.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'))
}

/** What stands between backticks in the text. */
export function codeIn({ prose }: { prose: string }): string[] {
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code)
}

/** The cells of every row of every table. */
export function rowsIn({ prose }: Page): string[][] {
  const lines = prose.split('\n').filter((line) => line.startsWith('| '))
  return lines.map((line) => line.slice(2, -2).split(' | '))
}

export function pageNamed(path: string): Page {
  const page = pages.find((it) => it.path === path)
  if (!page) throw new Error(`There is no ${path}.`)
  return page
}
