import { LRUCache } from 'lru-cache'
import { type CustomTypesConfig, DatabaseError, type Pool, type PoolClient, type QueryResultRow, types as standardTypes } from 'pg'
import { currentScope } from '../request-scope/request-scope.js'

/** How many different statements are prepared at a time. The least recently used one is replaced by the next. */
const MAX_PREPARED = 500
/** A replaced statement stays prepared on its connections. A connection that has prepared this many in all is closed. */
const MAX_PREPARED_PER_CONNECTION = 2 * MAX_PREPARED
/** How often a statement must be sent before it is prepared, so that rare ones do not replace frequent ones. */
const PREPARE_AFTER_USES = 10
/** How many statements that are not prepared yet have their uses counted. */
const MAX_COUNTED_TEXTS = 1_000

/** Sends SQL without Prisma, over the same connections. Statements that are sent often become prepared statements of PostgreSQL. */
export class PreparedStatements {
  readonly #names = new LRUCache<string, string>({ max: MAX_PREPARED })
  readonly #times = new LRUCache<string, number>({ max: MAX_COUNTED_TEXTS })
  readonly #namesOf = new WeakMap<PoolClient, Set<string>>()
  #named = 0

  /**
   * @param canPrepare Whether each connection is a session of its own. Those to the embedded database share one, where names would collide.
   * @param onStatement Called after each statement with its text and its duration in milliseconds.
   */
  constructor(
    readonly pool: Pool,
    readonly canPrepare: boolean,
    readonly onStatement: (sql: string, durationMs: number) => void,
  ) {}

  /** Sends a statement and returns its rows. To be prepared, its text must not contain values: they go into `values`. */
  async rows<Row extends QueryResultRow>(text: string, values: unknown[]): Promise<Row[]> {
    const name = this.#nameOf(text)
    const startedAt = performance.now()
    const connection = await this.pool.connect()
    let release: Error | boolean = name !== undefined && this.#isFull(connection, name)
    try {
      return (await connection.query<Row>({ ...(name !== undefined && { name }), text, values, types })).rows
    } catch (error) {
      if (error instanceof DatabaseError) {
        // PostgreSQL repeats values of the row in these fields, and the log must not show them.
        error.detail = error.where = undefined
      }
      // Anything but an error of the statement itself may have broken the connection, which is then closed instead of reused.
      if (!(error instanceof DatabaseError && error.severity === 'ERROR')) release = error instanceof Error ? error : true
      throw error
    } finally {
      connection.release(release)
      this.onStatement(text, performance.now() - startedAt)
    }
  }

  /** The name under which a statement is prepared; undefined while it is not to be prepared. */
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

  /** Notes that a connection prepares a statement. Returns whether the connection now has as many as it may. */
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

/** Parses a timestamp of a session in UTC, as session.ts sets it. For years of four digits it needs a quarter of the time of the driver's own parser. */
function timestamp(text: string): unknown {
  const date = text[10] === ' ' && text.endsWith('+00') ? new Date(`${text.slice(0, 10)}T${text.slice(11, -3)}Z`) : parseTimestamp(text)
  // Read as no date it would be null: an expired record would have no expiry.
  if (!(date instanceof Date) || Number.isNaN(date.getTime())) throw new Error('The database has sent a timestamp that cannot be read.')
  return date
}

/** Counts a statement for the current request, if there is one. */
export function countStatement(): void {
  const scope = currentScope()
  if (scope) scope.statements += 1
}
