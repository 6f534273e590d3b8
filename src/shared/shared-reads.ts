import DataLoader from 'dataloader'
import { currentOperation, jointOperation, type Operation, outsideOfOperations, runOperation } from '../operation.js'
import { NoConnectionError } from '../operation-pool.js'

/** As many as one statement reads for. */
const MOST_TOGETHER = 100

interface Wanted<Row> {
  id: string
  /** Tells which columns are read, and on which conditions. */
  same: string
  /** Finds the rows of these ids. */
  read(ids: string[]): PromiseLike<Row[]>
  operation: Operation | undefined
}

/**
 * Rows by id: requests that want the same columns on the same conditions, and have come that far by the
 * same turn of the event loop, share a statement.
 */
export class SharedReads<Row extends { id: string }> {
  readonly #loader = new DataLoader<Wanted<Row>, Row | null>((wanted) => readTogether(wanted), {
    cache: false,
    maxBatchSize: MOST_TOGETHER,
    batchScheduleFn: (load) => void setImmediate(load),
  })

  async load(wanted: Omit<Wanted<Row>, 'operation'>): Promise<Row | null> {
    const operation = currentOperation()
    try {
      return await this.#loader.load({ ...wanted, operation })
    } catch (error) {
      if (error instanceof NoConnectionError) operation?.interrupt('OVERLOADED')
      throw error
    }
  }
}

async function readTogether<Row extends { id: string }>(all: readonly Wanted<Row>[]): Promise<(Row | Error | null)[]> {
  const groups = new Map<string, Wanted<Row>[]>()
  for (const wanted of all) {
    const group = groups.get(wanted.same)
    if (group) group.push(wanted)
    else groups.set(wanted.same, [wanted])
  }
  const found = new Map<Wanted<Row>, Row | Error | undefined>()
  await Promise.all(
    Array.from(groups.values(), async (group) => {
      const rows = await rowsOf(group)
      for (const wanted of group) found.set(wanted, rows instanceof Error ? rows : rows.get(wanted.id))
    }),
  )
  return all.map((wanted) => found.get(wanted) ?? null)
}

async function rowsOf<Row extends { id: string }>(group: Wanted<Row>[]): Promise<Map<string, Row> | Error> {
  const [first] = group
  if (!first) return new Map()
  const operations = [...new Set(group.flatMap(({ operation }) => operation ?? []))]
  // The statement is counted for the one whose it is; several have a joint one.
  if (operations.length > 1) for (const operation of operations) operation.statements += 1
  const owner = jointOperation(operations)
  const ids = [...new Set(group.map(({ id }) => id))]
  const read = () => first.read(ids)
  try {
    const rows = await (owner ? runOperation(owner, read) : outsideOfOperations(read))
    return new Map(rows.map((row) => [row.id, row]))
  } catch (error) {
    return error instanceof Error ? error : new Error('Rows could not be read.', { cause: error })
  }
}
