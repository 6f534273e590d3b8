import { GraphQLError, GraphQLScalarType, type ValueNode } from 'graphql'
import { GraphQLDateTimeISO, GraphQLJSONObject } from 'graphql-scalars'

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
