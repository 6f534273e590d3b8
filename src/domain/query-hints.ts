/*
 * What a query for Prisma carries besides, under symbols, which Prisma does not look at: a store that knows more than Prisma can do
 * with one statement what Prisma needs several or longer ones for.
 */

/**
 * A comparison of several columns as PostgreSQL compares rows. The condition that it stands in spells it out for Prisma, which has
 * no such comparison.
 */
export interface RowComparison {
  columns: string[]
  operator: 'gt' | 'lt'
  values: (string | number | Date)[]
}

export const rowComparison = Symbol('row comparison')

/** The condition on a whole list, of which a `findMany` reads a page; the rows then carry the length of the list, if there are any. */
export const totalCountHint = Symbol('total count')

/** The length of the whole list that came with its rows; undefined where it has to be counted. */
export function totalCountOf(rows: object): number | undefined {
  const length: unknown = Reflect.get(rows, totalCountHint)
  return typeof length === 'number' ? length : undefined
}
