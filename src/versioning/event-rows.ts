import type { GraphQLResolveInfo } from 'graphql'
import { rowQuery } from '../graphql/connections.js'
import type { Context } from '../graphql/context.js'
import { currentScope, detachedScope, type RequestScope, runInScope } from '../request-scope/request-scope.js'
import type { Change } from './change-stream.js'
import type { Burst } from './event-turns.js'

/** Reads a row of the viewer by its id. `query` is a Prisma query for what the document selects. */
export type FindRow<Row> = (context: Context, id: string, query: object) => PromiseLike<Row | null>

/** One read of a row, which events of one burst share. It has a scope of its own, which is interrupted once all of the events are. */
class SharedRead<Row> {
  readonly row: Promise<Row | null>
  #isDone = false
  #wanting = 0

  constructor(
    readonly scope: RequestScope,
    find: () => PromiseLike<Row | null>,
  ) {
    this.row = runInScope(scope, async () => find())
    const done = () => void (this.#isDone = true)
    this.row.then(done, done)
  }

  /** To be called for each event that wants the row. */
  join(event: RequestScope): void {
    this.#wanting += 1
    event.whenInterrupted(() => {
      this.#wanting -= 1
      if (this.#wanting === 0 && !this.#isDone) this.scope.interrupt('ABANDONED')
    })
  }
}

/**
 * Makes the resolver of the row of a change, as it is now. It is read once for all events of a burst that tell the same change and select the
 * same columns.
 *
 * @param typeName the row's type in the schema
 */
export function changedRow<Row extends { id: string }>(typeName: string, find: FindRow<Row>) {
  const bursts = new WeakMap<Burst, Map<string, SharedRead<Row>>>()

  function readOf(context: Context, { id, revision }: Change, query: object, event: RequestScope): SharedRead<Row> {
    const reads = bursts.get(context.burst) ?? new Map<string, SharedRead<Row>>()
    bursts.set(context.burst, reads)
    const key = `${id} ${revision.version} ${JSON.stringify(query)}`
    const known = reads.get(key)
    const read = known && known.scope.interruption === undefined ? known : new SharedRead(detachedScope(event), () => find(context, id, query))
    reads.set(key, read)
    read.join(event)
    return read
  }

  return async (change: Change, context: Context, info: GraphQLResolveInfo): Promise<Row> => {
    const event = currentScope()
    if (!event) throw new Error('An event is executed in a scope.')
    const { row, scope } = readOf(context, change, rowQuery(context, info, typeName, ['id']), event)
    try {
      const found = await row
      if (!found) throw new Error(`The changed row ${change.id} is gone.`)
      return found
    } catch (error) {
      if (scope.interruption !== undefined) event.interrupt(scope.interruption, scope.exceeded)
      throw error
    }
  }
}
