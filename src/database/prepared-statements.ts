import { LRUCache } from 'lru-cache'
import { type CustomTypesConfig, DatabaseError, type Pool, type PoolClient, type QueryResultRow, types as standardTypes } from 'pg'
import { currentScope } from '../request-scope/request-scope.js'

/** How many texts are prepared at a time; the one that was not used for the longest time makes room for the next. */
const MAX_PREPARED = 500
/** What left these is still prepared on a connection, which is replaced once it holds so many in all. */
const MAX_PREPARED_PER_CONNECTION = 2 * MAX_PREPARED
/** So often a text must have come before it is prepared, so that those that come once or twice take no place. */
const PREPARE_AFTER_USES = 10
/** Among how many texts these are counted. */
const MAX_COUNTED_TEXTS = 1_000

/** SQL written by hand for what every request does, over the connections that Prisma uses too. */
export class PreparedStatements {
  readonly #names = new LRUCache<string, string>({ max: MAX_PREPARED })
  readonly #times = new LRUCache<string, number>({ max: MAX_COUNTED_TEXTS })
  readonly #namesOf = new WeakMap<PoolClient, Set<string>>()
  #named = 0

  /**
   * @param canPrepare whether a connection keeps what it prepares to itself; those to the embedded database share one session
   * @param onStatement is told each statement, and how long it took in milliseconds
   */
  constructor(
    readonly pool: Pool,
    readonly canPrepare: boolean,
    readonly onStatement: (sql: string, durationMs: number) => void,
  ) {}

  /** The rows of one statement. Its text should vary little with its values: what comes often is prepared once a connection. */
  async rows<Row extends QueryResultRow>(text: string, values: unknown[]): Promise<Row[]> {
    const name = this.#nameOf(text)
    const startedAt = performance.now()
    const connection = await this.pool.connect()
    let release: Error | boolean = name !== undefined && this.#isFull(connection, name)
    try {
      return (await connection.query<Row>({ ...(name !== undefined && { name }), text, values, types })).rows
    } catch (error) {
      if (error instanceof DatabaseError) {
        // PostgreSQL repeats values of the row there, which are not for the log.
        error.detail = error.where = undefined
      }
      if (!(error instanceof DatabaseError && error.severity === 'ERROR')) release = error instanceof Error ? error : true
      throw error
    } finally {
      connection.release(release)
      this.onStatement(text, performance.now() - startedAt)
    }
  }

  #nameOf(text: string): string | undefined {
    const known = this.#names.get(text)
    if (known !== undefined || !this.canPrepare) return known
    const times = (this.#times.get(text) ?? 0) + 1
    this.#times.set(text, times)
    if (times < PREPARE_AFTER_USES) return undefined
    this.#times.delete(text)
    const name = `gateway_${this.#named++}`
    this.#names.set(text, name)
    return name
  }

  /** Notes what a connection prepares, and tells whether that is as much as it may. */
  #isFull(connection: PoolClient, name: string): boolean {
    let names = this.#namesOf.get(connection)
    if (!names) this.#namesOf.set(connection, (names = new Set()))
    names.add(name)
    return names.size >= MAX_PREPARED_PER_CONNECTION
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

/** Counts a statement for the request that sends it. */
export function countStatement(): void {
  const scope = currentScope()
  if (scope) scope.statements += 1
}
