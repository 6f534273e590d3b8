import { createHash } from 'node:crypto'
import { GraphQLError } from 'graphql'
import { z } from 'zod'
import { type RowComparison, rowComparison } from '../domain/query-hints.js'
import { isStorable, isUuid } from '../domain/validation.js'

/*
 * Relay connections by keyset: a cursor holds the values that its row was ordered by, so that a
 * page starts right behind them whatever was inserted meanwhile, at the cost of an index look-up.
 */

export const DEFAULT_PAGE_SIZE = 20
export const MAXIMUM_PAGE_SIZE = 100

export interface PageArguments {
  first?: number | null | undefined
  last?: number | null | undefined
  after?: string | null | undefined
  before?: string | null | undefined
}

export type Direction = 'asc' | 'desc'

/** A condition as Prisma's `where` takes it, on columns that are only known when the code runs. */
type Condition = Record<string, unknown>

/** A column that a list can be ordered by. Where it can be null, nulls come last in both directions. */
export interface OrderColumn<Row> {
  name: keyof Row & string
  schema: z.ZodType<Date | string | number>
  nullable: boolean
}

/** The columns of one type of row, by the kind of their values. */
export function orderColumns<Row>() {
  const column = (schema: OrderColumn<Row>['schema'], nullable: boolean) => (name: keyof Row & string) => ({
    name,
    schema,
    nullable,
  })
  // PostgreSQL has no year 0.
  const date = z.iso.datetime().transform((iso) => new Date(iso)).refine((instant) => instant.getUTCFullYear() > 0)
  return {
    date: column(date, false),
    nullableDate: column(date, true),
    nullableNumber: column(z.number(), true),
    text: column(z.string().refine(isStorable), false),
    uuid: column(z.string().refine(isUuid), false),
  }
}

/** An `orderBy` argument. */
export type OrderBy<Field extends string> = { field: Field; direction: 'ASC' | 'DESC' }[] | null | undefined

export interface OrderTerm<Row> {
  column: OrderColumn<Row>
  direction: Direction
}

/**
 * The order that a client asked for, or `standard`, made total by `tieBreaker`. That one follows the
 * direction of the last term, so that one index serves both directions.
 */
export function orderOf<Row, Field extends string>(
  columns: Record<Field, OrderColumn<Row>>,
  asked: OrderBy<Field>,
  standard: Field,
  tieBreaker: OrderColumn<Row>,
): OrderTerm<Row>[] {
  const terms = (asked?.length ? asked : [{ field: standard, direction: 'DESC' as const }]).map(
    ({ field, direction }): OrderTerm<Row> => ({
      column: columns[field],
      direction: direction === 'ASC' ? 'asc' : 'desc',
    }),
  )
  // A column that stands there already decides nothing when it comes again.
  const unique = terms.filter(({ column }, index) => terms.findIndex((term) => term.column === column) === index)
  return [...unique, { column: tieBreaker, direction: unique.at(-1)?.direction ?? 'desc' }]
}

export interface Page<Row> {
  where: Condition
  orderBy: Condition[]
  /** One more than the page holds, to know whether there is more. */
  take: number
  /** What a row must hold besides what is shown of it: cursors are made of them. */
  columns: (keyof Row & string)[]
  connection<Node extends Row>(rows: Node[], totalCount: () => Promise<number>): Connection<Node>
}

export interface Connection<Node> {
  edges: { cursor: string; node: Node }[]
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null }
  totalCount(): Promise<number>
}

/**
 * Turns Relay's arguments into a query for one page.
 *
 * @param order must end with a unique column
 * @param list what a cursor is bound to beside the order: the name of the list, and its filter
 * @throws GraphQLError with code BAD_USER_INPUT for a size outside 0 to 100, first with last, or a
 *   cursor of another list, order or filter.
 */
export function planPage<Row>(args: PageArguments, order: OrderTerm<Row>[], list: [name: string, filter?: unknown]): Page<Row> {
  const size = pageSize(args)
  const backward = args.last != null
  const binding = bindCursor([order.map(({ column, direction }) => [column.name, direction]), ...list])
  const checks = order.map(({ column }) => isValueOf(column))
  const conditions: Condition[] = []
  if (args.after != null) conditions.push(beyondCursor(order, decodeCursor('after', args.after, binding, checks), false))
  if (args.before != null) conditions.push(beyondCursor(order, decodeCursor('before', args.before, binding, checks), true))
  return {
    where: { AND: conditions },
    orderBy: order.map(({ column, direction }) => {
      const sort = backward ? (direction === 'asc' ? 'desc' : 'asc') : direction
      return { [column.name]: column.nullable ? { sort, nulls: backward ? 'first' : 'last' } : sort }
    }),
    take: size + 1,
    columns: order.map(({ column }) => column.name),
    connection(rows, totalCount) {
      const hasMore = rows.length > size
      const page = rows.slice(0, size)
      if (backward) page.reverse()
      const edges = page.map((node) => ({
        // Made when it is asked for, which that of most nodes is not.
        get cursor() {
          return encodeCursor(
            binding,
            order.map(({ column }) => node[column.name]),
          )
        },
        node,
      }))
      return {
        edges,
        pageInfo: {
          hasNextPage: backward ? args.before != null : hasMore,
          hasPreviousPage: backward ? hasMore : args.after != null,
          get startCursor() {
            return edges[0]?.cursor ?? null
          },
          get endCursor() {
            return edges.at(-1)?.cursor ?? null
          },
        },
        totalCount,
      }
    },
  }
}

function isValueOf<Row>({ schema, nullable }: OrderColumn<Row>) {
  return (json: unknown) => (json === null ? nullable : schema.safeParse(json).success)
}

/** The rows strictly behind a cursor (or before it), term by term as tuples are compared. */
function beyondCursor<Row>(order: OrderTerm<Row>[], cursor: unknown[], backward: boolean): Condition {
  const values = order.map(({ column }, index) => (cursor[index] === null ? null : column.schema.parse(cursor[index])))
  const isUpward = ({ direction }: OrderTerm<Row>) => (direction === 'asc') !== backward
  const alternatives = order.flatMap((term, index) => {
    const equalSoFar = order.slice(0, index).map(({ column }, i) => ({ [column.name]: { equals: values[i] } }))
    const beyond = beyondValue(term.column, values[index] ?? null, isUpward(term), backward)
    return beyond ? [{ AND: [...equalSoFar, beyond] }] : []
  })
  const [first] = order
  const condition: Condition = { OR: alternatives }
  if (!first) return condition
  // Redundant, but it alone lets PostgreSQL start inside the index instead of filtering up to there.
  const range = { [first.column.name]: isUpward(first) ? { gte: values[0] } : { lte: values[0] } }
  const bounded = first.column.nullable ? condition : { AND: [range, condition] }
  // Rows with a null come last, where a comparison of rows does not find them.
  const isOneComparison = order.every((term, index) => isUpward(term) === isUpward(first) && values[index] !== null && (backward || !term.column.nullable))
  if (!isOneComparison) return bounded
  const comparison: RowComparison = {
    columns: order.map(({ column }) => column.name),
    operator: isUpward(first) ? 'gt' : 'lt',
    values: values.flatMap((value) => value ?? []),
  }
  return { ...bounded, [rowComparison]: comparison }
}

/** Null where nothing can be. */
function beyondValue<Row>(
  { name, nullable }: OrderColumn<Row>,
  value: Date | string | number | null,
  upward: boolean,
  backward: boolean,
): Condition | null {
  // Nulls come last: behind a null there is nothing, and before it everything that is not null.
  if (value === null) return backward ? { [name]: { not: null } } : null
  const strictly = { [name]: upward ? { gt: value } : { lt: value } }
  return nullable && !backward ? { OR: [strictly, { [name]: { equals: null } }] } : strictly
}

/** What ties a cursor to its list: the same for the same order and filter only. */
export function bindCursor(boundTo: unknown): string {
  return createHash('sha256').update(JSON.stringify(boundTo)).digest('base64url').slice(0, 8)
}

export function encodeCursor(binding: string, values: unknown[]): string {
  return Buffer.from(JSON.stringify([binding, ...values])).toString('base64url')
}

/** @throws GraphQLError with code BAD_USER_INPUT unless it is a cursor of this binding with such values. */
export function decodeCursor(
  argument: 'after' | 'before',
  cursor: string,
  binding: string,
  isValue: ((value: unknown) => boolean)[],
): unknown[] {
  const refusal = () => badInput(`\`${argument}\` is not a cursor of this list in this order and with this filter.`)
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    throw refusal()
  }
  if (!Array.isArray(json) || json[0] !== binding || json.length !== isValue.length + 1) throw refusal()
  const values: unknown[] = json.slice(1)
  if (!isValue.every((check, index) => check(values[index]))) throw refusal()
  return values
}

/** @throws GraphQLError with code BAD_USER_INPUT for a size outside 0 to 100, or first with last. */
export function pageSize({ first, last }: PageArguments): number {
  if (first != null && last != null) throw badInput('`first` and `last` cannot be given together.')
  const size = first ?? last ?? DEFAULT_PAGE_SIZE
  const name = first != null ? 'first' : 'last'
  if (size < 0 || size > MAXIMUM_PAGE_SIZE) throw badInput(`\`${name}\` must be from 0 to ${MAXIMUM_PAGE_SIZE}.`)
  return size
}

/** What is wrong with the arguments of a list, for the client to mend. */
export function badInput(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } })
}
