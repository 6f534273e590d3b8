import { LRUCache } from 'lru-cache'
import { type CustomTypesConfig, DatabaseError, type Pool, type QueryResultRow, types as standardTypes } from 'pg'
import { currentOperation } from './operation.js'

/** Each connection keeps what it has prepared; texts beyond these are planned anew each time. */
const MOST_PREPARED = 500
/** So often a text must have come before it is prepared, so that those that come once or twice take no place. */
const OFTEN = 10
/** Among how many texts these are counted. */
const COUNTED = 1_000

/** SQL written by hand for what every request does, over the connections that Prisma uses too. */
export class PreparedStatements {
  readonly #names = new Map<string, string>()
  readonly #times = new LRUCache<string, number>({ max: COUNTED })

  /**
   * @param prepares whether a connection keeps what it prepares to itself; those to the embedded database share one session
   * @param heard is told each statement, and how long it took
   */
  constructor(
    readonly pool: Pool,
    readonly prepares: boolean,
    readonly heard: (sql: string, durationMs: number) => void,
  ) {}

  /** The rows of one statement. Its text should vary little with its values: what comes often is prepared once a connection. */
  async rows<Row extends QueryResultRow>(text: string, values: unknown[]): Promise<Row[]> {
    const name = this.#nameOf(text)
    const startedAt = performance.now()
    try {
      return (await this.pool.query<Row>({ ...(name !== undefined && { name }), text, values, types })).rows
    } catch (error) {
      // PostgreSQL repeats values of the row there, which are not for the log.
      if (error instanceof DatabaseError) error.detail = error.where = undefined
      throw error
    } finally {
      this.heard(text, performance.now() - startedAt)
    }
  }

  #nameOf(text: string): string | undefined {
    const known = this.#names.get(text)
    if (known !== undefined || !this.prepares || this.#names.size >= MOST_PREPARED) return known
    const times = (this.#times.get(text) ?? 0) + 1
    this.#times.set(text, times)
    if (times < OFTEN) return undefined
    this.#times.delete(text)
    const name = `gateway_${this.#names.size}`
    this.#names.set(text, name)
    return name
  }
}

const { TIMESTAMPTZ } = standardTypes.builtins
const standard: { getTypeParser(type: number, format?: string): (text: string) => unknown } = standardTypes
const parseTimestamp = standard.getTypeParser(TIMESTAMPTZ)

const types: CustomTypesConfig = {
  getTypeParser: (type, format) => (type === TIMESTAMPTZ ? timestamp : standard.getTypeParser(type, format)),
}

/** Reads what sessions in UTC write of the years that have four digits at a quarter of the driver's cost. */
function timestamp(text: string): unknown {
  if (text[10] !== ' ' || !text.endsWith('+00')) return parseTimestamp(text)
  return new Date(`${text.slice(0, 10)}T${text.slice(11, -3)}Z`)
}

/** Counts a statement for the operation that sends it. */
export function countStatement(): void {
  const operation = currentOperation()
  if (operation) operation.statements += 1
}
