import type { Revision } from '../generated/prisma/client.js'
import { bindCursor, decodeCursor, encodeCursor } from '../graphql/cursors.js'
import { type Connection, type PageArguments, pageSize } from '../graphql/pagination.js'

const binding = bindCursor('history')
const isVersion = (value: unknown) => typeof value === 'number' && Number.isInteger(value)

/**
 * One page of a row's revisions, newest first. Versions have no gaps, so that the range of versions on the page is known before anything
 * is read.
 *
 * @param load reads the revisions from `oldest` to `newest`, both included
 * @throws GraphQLError with code BAD_USER_INPUT for a wrong page size or cursor.
 */
export async function historyPage(
  row: { version: number },
  args: PageArguments,
  load: (range: { oldest: number; newest: number }) => Promise<Revision[]>,
): Promise<Connection<Revision>> {
  const size = pageSize(args)
  const backward = args.last != null
  const versionOf = (argument: 'after' | 'before', cursor: string) =>
    Number(decodeCursor(argument, cursor, binding, [isVersion])[0])
  const upTo = Math.min(row.version, args.after != null ? versionOf('after', args.after) - 1 : row.version)
  const downTo = Math.max(1, args.before != null ? versionOf('before', args.before) + 1 : 1)
  const newest = backward ? Math.min(upTo, downTo + size - 1) : upTo
  const oldest = backward ? downTo : Math.max(downTo, upTo - size + 1)
  const revisions = newest < oldest ? [] : await load({ oldest, newest })
  const edges = revisions.map((node) => ({ cursor: encodeCursor(binding, [node.version]), node }))
  return {
    edges,
    pageInfo: {
      hasNextPage: backward ? args.before != null : oldest > downTo,
      hasPreviousPage: backward ? newest < upTo : args.after != null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    totalCount: () => Promise.resolve(row.version),
  }
}
