import { GraphQLError, GraphQLID, GraphQLScalarType, type ValueNode } from 'graphql'
import { GraphQLDateTimeISO, GraphQLJSONObject } from 'graphql-scalars'

const parseId: (value: unknown) => string = GraphQLID.parseValue.bind(GraphQLID)

/**
 * Reads an ID, which is a string or a whole number. JSON parsers round numbers beyond 2^53, so that two ids would become one.
 *
 * @throws GraphQLError for such a number, and for what is no ID.
 */
function parseExactId(value: unknown): string {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new GraphQLError('An ID is a string, or a whole number within ±(2^53 - 1).')
  return parseId(value)
}

/** Lets IDs in variables be read so. Pothos has no place for another ID than GraphQL's own, which belongs to the whole process. */
export function readIdsExactly(): void {
  GraphQLID.parseValue = parseExactId
}

/** What GraphQL makes of a value that is to be an ID; null if it is none. */
export function idOf(value: unknown): string | null {
  try {
    return parseExactId(value)
  } catch {
    return null
  }
}

const dateTime = GraphQLDateTimeISO.toConfig()

/** PostgreSQL has no year 0, and `Date.toISOString()` writes years after 9999 in another format. */
function inRange(date: Date, node?: ValueNode): Date {
  const year = date.getUTCFullYear()
  if (year < 1 || year > 9999) throw new GraphQLError('A DateTime lies in the years 0001 to 9999 (UTC).', { nodes: node })
  return date
}

export const DateTime = new GraphQLScalarType<Date, string>({
  ...dateTime,
  name: 'DateTime',
  description: 'An instant as RFC 3339, e.g. `2026-03-04T10:30:00.000Z`, in the years 0001 to 9999. Kept to the millisecond and answered in UTC.',
  parseValue(value) {
    if (typeof value !== 'string') throw new GraphQLError('A DateTime is a string.')
    return inRange(GraphQLDateTimeISO.parseValue(value))
  },
  parseLiteral: (node: ValueNode) => inRange(GraphQLDateTimeISO.parseLiteral(node, null), node),
  serialize(value) {
    if (value instanceof Date) return value.toISOString()
    throw new GraphQLError('A DateTime is a Date.')
  },
})

export const JSONObject = new GraphQLScalarType({
  ...GraphQLJSONObject.toConfig(),
  name: 'JSONObject',
  description: 'A JSON object.',
})
