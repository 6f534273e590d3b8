import { z } from 'zod'
import { type RowComparison, rowComparison } from '../domain/query-hints.js'
import { canHold, isUuid } from '../domain/validation.js'
import { badInput } from './bad-input.js'
import { bindCursor, decodeCursor, encodeCursor } from './cursors.js'

/*
 * Relay connections with keyset pagination: a cursor holds the values of its row in the columns of the order. A page starts right after
 * these values, so that rows inserted meanwhile do not shift it, and an index finds its start.
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

/** A `where` or `orderBy` of Prisma, on columns that TypeScript does not know. */
type Condition = Record<string, unknown>

/** A column that a list can be ordered by. Nulls come last in both directions. */
export interface OrderColumn<Row> {
  name: keyof Row & string
  /** Parses a value of the column that is not null from the JSON of a cursor. */
  schema: z.ZodType<Date | string | number>
  nullable: boolean
}

/** Makes the order columns of one type of row, with a function for each type of value. */
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
    /** @param max the maximum length of the column's texts, in Unicode code points */
    text: (name: keyof Row & string, max: number) => column(z.string().refine((it) => canHold(max, it)), false)(name),
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
 * The order that the client asked for, or by default `standard`, descending. `tieBreaker`, a unique column, is added to make the order
 * total. It takes the direction of the last term, so that one index serves both directions.
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
  // A column that comes again cannot change the order.
  const unique = new Map<OrderColumn<Row>, OrderTerm<Row>>()
  for (const term of terms) if (!unique.has(term.column)) unique.set(term.column, term)
  const order = [...unique.values()]
  return [...order, { column: tieBreaker, direction: order.at(-1)?.direction ?? 'desc' }]
}

/** A page that is not read yet: the parts of its Prisma query, and how to make a connection of the rows. */
export interface Page<Row> {
  /** Only the rows between the cursors. */
  where: Condition
  orderBy: Condition[]
  /** The page size plus one, to find out whether there are more rows. */
  take: number
  /** The columns that cursors are made of. The rows must have them, whatever the document selects. */
  columns: (keyof Row & string)[]
  /** Makes the connection of the rows that the query returned. */
  connection<Node extends Row>(rows: Node[], totalCount: () => Promise<number>): Connection<Node>
}

export interface Connection<Node> {
  edges: { cursor: string; node: Node }[]
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null }
  totalCount(): Promise<number>
}

/**
 * Plans the query for one page.
 *
 * @param order must end with a unique column
 * @param list the name of the list and its filter; a cursor is valid only for the same list, filter and order
 * @throws GraphQLError with code BAD_USER_INPUT for a page size outside 0 to 100, `first` together with `last`, or a cursor of another
 *   list, order or filter.
 */
export function planPage<Row>(args: PageArguments, order: OrderTerm<Row>[], list: [name: string, filter?: unknown]): Page<Row> {
  const size = pageSize(args)
  const backward = args.last != null
  // Made only when a cursor comes or is asked for, because a filter can be long.
  let bound: string | undefined
  const binding = () => (bound ??= bindCursor([order.map(({ column, direction }) => [column.name, direction]), ...list]))
  const checks = order.map(({ column }) => isValueOf(column))
  const conditions: Condition[] = []
  if (args.after != null) conditions.push(beyondCursor(order, decodeCursor('after', args.after, binding(), checks), false))
  if (args.before != null) conditions.push(beyondCursor(order, decodeCursor('before', args.before, binding(), checks), true))
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
        // A getter, because most cursors are never asked for.
        get cursor() {
          return encodeCursor(
            binding(),
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

/**
 * The condition that a row comes strictly after a cursor, or before it if `backward`. Rows are compared as tuples: by the first column, and
 * by each further one among rows that are equal so far.
 */
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
  // This range follows from the condition. It is added because only with it PostgreSQL starts inside the index, instead of reading and
  // discarding all rows before the cursor.
  const range = { [first.column.name]: isUpward(first) ? { gte: values[0] } : { lte: values[0] } }
  const bounded = first.column.nullable ? condition : { AND: [range, condition] }
  // A row comparison fits only if all terms have the same direction. It is never true for a row with a null, so it must not have to find those.
  const isOneComparison = order.every((term, index) => isUpward(term) === isUpward(first) && values[index] !== null && (backward || !term.column.nullable))
  if (!isOneComparison) return bounded
  const comparison: RowComparison = {
    columns: order.map(({ column }) => column.name),
    operator: isUpward(first) ? 'gt' : 'lt',
    values: values.flatMap((value) => value ?? []),
  }
  return { ...bounded, [rowComparison]: comparison }
}

/** The condition on one column that a row comes after a value, or before it if `backward`. Null if no row can. */
function beyondValue<Row>(
  { name, nullable }: OrderColumn<Row>,
  value: Date | string | number | null,
  upward: boolean,
  backward: boolean,
): Condition | null {
  // Nulls come last: nothing comes after a null, and everything that is not null comes before it.
  if (value === null) return backward ? { [name]: { not: null } } : null
  const strictly = { [name]: upward ? { gt: value } : { lt: value } }
  return nullable && !backward ? { OR: [strictly, { [name]: { equals: null } }] } : strictly
}

/** @throws GraphQLError with code BAD_USER_INPUT for a page size outside 0 to 100, or `first` together with `last`. */
export function pageSize({ first, last }: PageArguments): number {
  if (first != null && last != null) throw badInput('`first` and `last` cannot be given together.')
  const size = first ?? last ?? DEFAULT_PAGE_SIZE
  const name = first != null ? 'first' : 'last'
  if (size < 0 || size > MAXIMUM_PAGE_SIZE) throw badInput(`\`${name}\` must be from 0 to ${MAXIMUM_PAGE_SIZE}.`)
  return size
}
