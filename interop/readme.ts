// The section of the README on federation, which the tests hold to what it says.
import { readFileSync } from 'node:fs'

const text = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const [section = ''] = /^## Federation.*?(?=^## )/ms.exec(text) ?? []

function found(pattern: RegExp): string {
  const part = pattern.exec(section)?.[1]
  if (part === undefined) throw new Error(`The README's section on federation has no ${String(pattern)}.`)
  return part
}

export const readme = {
  script: found(/```js\n(.*?)```/s),
  request: found(/ -d '(.*?)'\n/s),
  answer: found(/```json\n(.*?)```/s),
  /** The names in the row of a table that starts with `what`. */
  names: (what: string): string[] => [...found(new RegExp(`^\\| ${what} \\| (.*?) \\|`, 'm')).matchAll(/`([A-Z]\w*)`/g)].map(([, name = '']) => name),
}
