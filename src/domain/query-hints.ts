/*
 * Hints in a query for Prisma, under symbols, which Prisma ignores. With them the SQL store (sql-store/) needs one statement where Prisma
 * needs several, or a shorter one.
 */

/**
 * A row comparison of PostgreSQL, e.g. `(a, b) > (1, 2)`. Prisma has none, so the condition with this hint also says the same in Prisma's
 * terms.
 */
export interface RowComparison {
  columns: string[]
  operator: 'gt' | 'lt'
  values: (string | number | Date)[]
}

/** The key of a RowComparison in a condition. */
export const rowComparison = Symbol('row comparison')

/**
 * In the query of a `findMany`: the condition of the whole list of which it reads a page. In its result, the array of rows: how many rows
 * meet that condition, if the store has counted them and the page is not empty.
 */
export const totalCountHint = Symbol('total count')

/** The total count that came with the rows of a page; undefined if it has to be counted. */
export function totalCountOf(rows: object): number | undefined {
  const length: unknown = Reflect.get(rows, totalCountHint)
  return typeof length === 'number' ? length : undefined
}
