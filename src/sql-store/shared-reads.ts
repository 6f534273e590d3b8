import DataLoader from 'dataloader'
import { NoConnectionError } from '../database/pool.js'
import { currentScope, jointScope, type RequestScope, runInScope, runOutsideOfRequests } from '../request-scope/request-scope.js'

/** How many rows one statement reads at most. */
const MAX_BATCH_SIZE = 100

/** One row that a request wants. */
interface Wanted<Row> {
  id: string
  /** The same for all reads of the same columns on the same conditions. */
  groupKey: string
  /** Reads the rows with these ids, those columns and conditions. */
  read(ids: string[]): PromiseLike<Row[]>
  scope: RequestScope | undefined
}

/**
 * Reads rows by id. Requests that want the same columns on the same conditions, in the same turn of the event loop, share one statement.
 */
export class SharedReads<Row extends { id: string }> {
  readonly #loader = new DataLoader<Wanted<Row>, Reading<Row>>((wanted) => Promise.resolve(readTogether(wanted)), {
    cache: false,
    maxBatchSize: MAX_BATCH_SIZE,
    batchScheduleFn: (load) => void setImmediate(load),
  })

  async load(wanted: Omit<Wanted<Row>, 'scope'>): Promise<Row | null> {
    const scope = currentScope()
    const { rows } = await this.#loader.load({ ...wanted, scope })
    const found = await rows
    if (!(found instanceof Error)) return found.get(wanted.id) ?? null
    if (found instanceof NoConnectionError) scope?.interrupt('OVERLOADED')
    throw found
  }
}

/** A statement under way: the rows that it reads, or why it failed. */
interface Reading<Row> {
  rows: Promise<Map<string, Row> | Error>
}

/** Starts a statement for each group, and waits for none: who wants little must not wait for what others want. */
function readTogether<Row extends { id: string }>(all: readonly Wanted<Row>[]): Reading<Row>[] {
  const groups = new Map<string, Wanted<Row>[]>()
  for (const wanted of all) {
    const group = groups.get(wanted.groupKey)
    if (group) group.push(wanted)
    else groups.set(wanted.groupKey, [wanted])
  }
  const readings = new Map(Array.from(groups, ([groupKey, group]) => [groupKey, { rows: rowsOf(group) }]))
  return all.flatMap(({ groupKey }) => readings.get(groupKey) ?? [])
}

async function rowsOf<Row extends { id: string }>(group: Wanted<Row>[]): Promise<Map<string, Row> | Error> {
  const [first] = group
  if (!first) return new Map()
  const scopes = [...new Set(group.flatMap(({ scope }) => scope ?? []))]
  // The statement is counted for the scope that sends it. For several requests that is a joint scope, so it is counted for each request here.
  if (scopes.length > 1) for (const scope of scopes) scope.statements += 1
  const sender = jointScope(scopes)
  const ids = [...new Set(group.map(({ id }) => id))]
  const read = () => first.read(ids)
  try {
    const rows = await (sender ? runInScope(sender, read) : runOutsideOfRequests(read))
    return new Map(rows.map((row) => [row.id, row]))
  } catch (error) {
    return error instanceof Error ? error : new Error('Rows could not be read.', { cause: error })
  }
}
