import { DatabaseError, type Pool, type QueryResultRow } from 'pg'
import { currentOperation } from './operation.js'

/** Each connection keeps what it has prepared; texts beyond these are planned anew each time. */
const MOST_PREPARED = 500

/** SQL written by hand for what every request does, over the connections that Prisma uses too. */
export class PreparedStatements {
  readonly #names = new Map<string, string>()

  /**
   * @param prepares whether a connection keeps what it prepares to itself; those to the embedded database share one session
   * @param heard is told each statement, and how long it took
   */
  constructor(
    readonly pool: Pool,
    readonly prepares: boolean,
    readonly heard: (sql: string, durationMs: number) => void,
  ) {}

  /** The rows of one statement. Its text must not vary with its values, so that it is prepared once a connection. */
  async rows<Row extends QueryResultRow>(text: string, values: unknown[]): Promise<Row[]> {
    const name = this.#nameOf(text)
    const startedAt = performance.now()
    try {
      return (await this.pool.query<Row>(name === undefined ? { text, values } : { name, text, values })).rows
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
    const name = `gateway_${this.#names.size}`
    this.#names.set(text, name)
    return name
  }
}

/** Counts a statement for the operation that sends it. */
export function countStatement(): void {
  const operation = currentOperation()
  if (operation) operation.statements += 1
}
