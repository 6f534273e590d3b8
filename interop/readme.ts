// The section of the README on federation, which the tests hold to what it says.
import { readFileSync } from 'node:fs'

const section = readFileSync(new URL('README-federation.md', import.meta.url), 'utf8')

function found(pattern: RegExp): string {
  const text = pattern.exec(section)?.[1]
  if (text === undefined) throw new Error(`The README has no ${pattern}.`)
  return text
}

export const readme = {
  script: found(/```js\n(.*?)```/s),
  request: found(/ -d '(.*?)'\n/s),
  answer: found(/```json\n(.*?)```/s),
  /** The names in the row of a table that starts with `what`. */
  names: (what: string): string[] => [...found(new RegExp(`^\\| ${what} \\| (.*?) \\|`, 'm')).matchAll(/`([A-Z]\w*)`/g)].map(([, name = '']) => name),
}
