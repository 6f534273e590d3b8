import { queryFromInfo } from '@pothos/plugin-prisma'
import type { GraphQLResolveInfo } from 'graphql'
import type { Context } from '../context.js'
import type { VersionedRow } from './failures.js'
import { kindOf } from './versioned.js'

/**
 * Shows a row as a write returned it. Such a row is whole, but Pothos knows it from no query of its
 * own and would read it again, perhaps at a later version. Planning the query that the document
 * would need, without sending it, makes Pothos take the columns from the row at hand; relations come
 * from loaders.
 */
export function wholeRow<Row extends VersionedRow>(row: Row, context: Context, info: GraphQLResolveInfo): Row {
  queryFromInfo({ context, info, typeName: kindOf(row) })
  return row
}
