// The page on federation, which the tests hold to what it says.
import { readFileSync } from 'node:fs'

const text = readFileSync(new URL('../docs/federation.md', import.meta.url), 'utf8')

function found(pattern: RegExp): string {
  const part = pattern.exec(text)?.[1]
  if (part === undefined) throw new Error(`docs/federation.md has no ${String(pattern)}.`)
  return part
}

export const federationPage = {
  script: found(/```js\n(.*?)```/s),
  request: found(/ -d '(.*?)'\n/s),
  answer: found(/```json\n(.*?)```/s),
  /** The names in the row of a table that starts with `what`. */
  names: (what: string): string[] => [...found(new RegExp(`^\\| ${what} \\| (.*?) \\|`, 'm')).matchAll(/`([A-Z]\w*)`/g)].map(([, name = '']) => name),
}
