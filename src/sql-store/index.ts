import type { PreparedStatements } from '../database/prepared-statements.js'
import { isRecord } from '../domain/is-record.js'
import { totalCountHint } from '../domain/query-hints.js'
import type { PrismaClient } from '../generated/prisma/client.js'
import { isQueryObject } from './conditions.js'
import { COUNT, countRows, nestRelations, selectRows } from './select.js'
import { SharedReads } from './shared-reads.js'
import type { Statement } from './statement.js'
import { type Table, tables } from './tables.js'
import { updateRow } from './update.js'

/**
 * Prisma's client, whose most frequent queries are sent as prepared SQL, which takes a quarter of the CPU time. Their results are the same
 * as Prisma's. All other queries, and all inside of a transaction, are executed by Prisma itself.
 */
export function createStore(client: PrismaClient, statements: PreparedStatements): PrismaClient {
  const models = new Map<string | symbol, object>()
  for (const [name, table] of tables) {
    const model: unknown = Reflect.get(client, name)
    if (isRecord(model)) models.set(name, withSql(model, table, statements))
  }
  return new Proxy(client, { get: (target, name): unknown => models.get(name) ?? Reflect.get(target, name) })
}

/** A method of a Prisma model. Like Prisma's, it returns something to be awaited. */
type Method = (query?: object) => unknown

/** A row of a result, with the total count of its list if the query asked for that. */
interface Found {
  id: string
  [COUNT]?: number
}

/** Attaches the total count, which comes as a column of each row, to the array of rows. Without rows there is none. */
function withLength(rows: Found[]): Found[] {
  const length = rows[0]?.[COUNT]
  return length === undefined ? rows : Object.assign(rows, { [totalCountHint]: length })
}

/** Wraps a Prisma model. Some methods try SQL first; all others are Prisma's. */
function withSql(model: object, table: Table, statements: PreparedStatements): object {
  const shared = new SharedReads<Found>()
  const rowsOf = async <Row extends object>({ text, values, related }: Statement) => nestRelations(await statements.rows<Row>(text, values), related)
  const methods = new Map<string | symbol, Method>()
  /** Overrides a method of Prisma's. Where `ours` returns null, Prisma's method is called. */
  const override = (name: string, ours: (query: object) => Promise<unknown> | null) => {
    const prisma: unknown = Reflect.get(model, name)
    if (typeof prisma !== 'function') throw new Error(`Prisma's models have no ${name}.`)
    methods.set(name, (query = {}) => ours(query) ?? Reflect.apply(prisma, model, [query]))
  }

  const findMany = (query: object) => {
    const statement = selectRows(table, query)
    return statement && rowsOf<Found>(statement).then(withLength)
  }
  override('findMany', findMany)
  override('findFirst', (query) => findMany({ ...query, take: 1 })?.then(([row]) => row ?? null) ?? null)
  override('findUnique', (query) => {
    if (!isQueryObject(query)) return null
    const { where, select, ...rest } = query
    if (!isQueryObject(where) || Object.keys(rest).length > 0) return null
    const { id, ...conditions } = where
    if (typeof id !== 'string') return null
    // The id is always read: SharedReads assigns rows to requests by it.
    const selected = isQueryObject(select) ? { select: { ...select, id: true } } : {}
    const statement = selectRows(table, { ...selected, where: conditions })
    if (!statement) return null
    const read = (ids: string[]) => findMany({ ...selected, where: { ...conditions, id: { in: ids } } }) ?? Promise.reject(new Error('Rows by id are known here.'))
    return shared.load({ id, groupKey: `${statement.text} ${JSON.stringify(statement.values)}`, read })
  })
  override('count', (query) => {
    const statement = countRows(table, query)
    return statement && rowsOf<Found>(statement).then(([row]) => row?.[COUNT] ?? 0)
  })
  override('updateManyAndReturn', (query) => {
    const statement = updateRow(table, query)
    return statement && rowsOf(statement)
  })
  return new Proxy(model, { get: (target, name): unknown => methods.get(name) ?? Reflect.get(target, name) })
}
