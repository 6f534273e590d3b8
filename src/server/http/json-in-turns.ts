import { isRecord } from '../../domain/is-record.js'
import { isTurnOver, nextTurn } from '../../request-scope/turns.js'

/** How many characters are collected before they are encoded. */
const CHUNK_CHARACTERS = 65_536

/** An array or object that is being written. */
interface Open {
  values: unknown[]
  /** The keys of an object, one for each value; undefined for an array. */
  keys: string[] | undefined
  /** The index of the next value. */
  next: number
}

/**
 * Writes a value that came from JSON or GraphQL as JSON. Long values are written in turns of the event loop.
 *
 * @returns UTF-8, or undefined if it would be longer than `maximumBytes`
 */
export async function jsonInTurns(value: unknown, maximumBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  const open: Open[] = []
  let bytes = 0
  let text = ''
  const write = (it: unknown) => {
    if (isShort(it)) {
      text += JSON.stringify(it ?? null)
    } else if (Array.isArray(it)) {
      text += '['
      open.push({ values: it, keys: undefined, next: 0 })
    } else if (isRecord(it)) {
      text += '{'
      const keys = Object.keys(it).filter((key) => it[key] !== undefined)
      open.push({ values: keys.map((key) => it[key]), keys, next: 0 })
    } else {
      // A text that is long by itself.
      text += JSON.stringify(it)
    }
  }
  const encode = () => {
    const chunk = Buffer.from(text)
    chunks.push(chunk)
    bytes += chunk.length
    text = ''
  }
  write(value)
  for (let last = open.at(-1); last; last = open.at(-1)) {
    const { values, keys, next } = last
    if (next === values.length) {
      text += keys ? '}' : ']'
      open.pop()
      continue
    }
    if (next > 0) text += ','
    if (keys) text += `${JSON.stringify(keys[next])}:`
    last.next += 1
    write(values[next])
    if (text.length >= CHUNK_CHARACTERS) encode()
    if (bytes > maximumBytes) return undefined
    if (isTurnOver()) await nextTurn()
  }
  encode()
  return bytes > maximumBytes ? undefined : Buffer.concat(chunks)
}

/** How much of a value is written at once. */
const SHORT = { values: 300, characters: CHUNK_CHARACTERS }

/** Whether a value is so short that it is written at once, which takes less time. Stops to look when it is not. */
function isShort(value: unknown, left = { ...SHORT }): boolean {
  left.values -= 1
  if (typeof value === 'string') left.characters -= value.length
  if (left.values < 0 || left.characters < 0) return false
  if (typeof value !== 'object' || value === null) return true
  for (const item of Array.isArray(value) ? value : Object.values(value)) if (!isShort(item, left)) return false
  return true
}
