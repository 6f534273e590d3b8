import { createHash } from 'node:crypto'
import { badInput } from './bad-input.js'

/* Cursors: the values of a row in the columns of an order, and a short hash of what the cursor is valid for, as JSON in base64url. */

/**
 * The maximum length of a cursor that is read, in characters. The longest that there is has a name of NAME_LENGTH control characters, each of
 * which JSON writes as six, and the values of four other columns.
 */
const MAXIMUM_CURSOR_LENGTH = 4_096

/** A short hash that a cursor carries, so that it is refused for any other list, order or filter. */
export function bindCursor(boundTo: unknown): string {
  return createHash('sha256').update(JSON.stringify(boundTo)).digest('base64url').slice(0, 8)
}

export function encodeCursor(binding: string, values: unknown[]): string {
  return Buffer.from(JSON.stringify([binding, ...values])).toString('base64url')
}

/**
 * Reads the values of a cursor.
 *
 * @param isValue checks the value of each column
 * @throws GraphQLError with code BAD_USER_INPUT if the cursor is too long or malformed, of another binding, or has other values.
 */
export function decodeCursor(
  argument: 'after' | 'before',
  cursor: string,
  binding: string,
  isValue: ((value: unknown) => boolean)[],
): unknown[] {
  const refusal = () => badInput(`\`${argument}\` is not a cursor of this list in this order and with this filter.`)
  if (cursor.length > MAXIMUM_CURSOR_LENGTH) throw refusal()
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    throw refusal()
  }
  if (!Array.isArray(json) || json[0] !== binding || json.length !== isValue.length + 1) throw refusal()
  const values: unknown[] = json.slice(1)
  if (!isValue.every((check, index) => check(values[index]))) throw refusal()
  return values
}
