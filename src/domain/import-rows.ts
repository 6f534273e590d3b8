// Shared by the imports of all kinds of rows. A row is identified by its sourcedId. It is written whole, and only if it differs from the
// stored one.
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import type { ValidationIssue } from './failures.js'
import { refuse, text } from './validation.js'

/** How many rows one statement writes, so that it stays far below PostgreSQL's limit of 65,535 parameters. */
const BATCH_SIZE = 1_000

export const description = text({ max: 10_000 })

/** A time in the format and range of the DateTime scalar. */
export const instant = z.iso.datetime({ offset: true }).transform((iso, context) => {
  const date = new Date(iso)
  const year = date.getUTCFullYear()
  if (year >= 1 && year <= 9999) return date
  refuse(context, 'INVALID_FORMAT', 'A time lies in the years 0001 to 9999 (UTC).')
  return z.NEVER
})

/** A list of rows that are unique by each of `keys`. */
export function uniqueRows<Row extends z.ZodType>(row: Row, keys: string[] = ['sourcedId']) {
  return z.array(row).superRefine(
    (rows: unknown[], context) => {
      for (const key of keys) {
        const seen = new Set<string>()
        for (const [index, it] of rows.entries()) {
          const value: unknown = typeof it === 'object' && it !== null ? Reflect.get(it, key) : undefined
          if (typeof value !== 'string') continue
          if (seen.has(value)) {
            const message = `Another row before this one has the same ${key}, "${value}".`
            context.addIssue({ code: 'custom', path: [index, key], message, params: { code: 'DUPLICATE' } })
          }
          seen.add(value)
        }
      }
    },
    // Also check the uniqueness if some rows are invalid; by default Zod would not.
    { when: ({ value }) => Array.isArray(value) },
  )
}

/** The result of importing the rows of one kind. */
export interface Imported {
  created: number
  updated: number
  unchanged: number
  /** If there are any, the whole import has to be rolled back. */
  issues: ValidationIssue[]
}

/** A row of the file. */
export interface FileRow<Columns> {
  /** Its index in the file's list. */
  index: number
  sourcedId: string
  /** All columns that an import sets; null for those that the file leaves out. */
  columns: Columns
}

/** How the rows of one kind are read and written. */
interface Upsert<Columns, Stored> {
  find(sourcedIds: string[]): PromiseLike<Stored[]>
  create(rows: (Columns & { sourcedId: string })[]): PromiseLike<unknown>
  /** Why a stored row may not be changed to these columns. Paths start at the row. */
  refuse?(stored: Stored, columns: Columns): ValidationIssue[] | Promise<ValidationIssue[]>
  update(stored: Stored, columns: Columns): PromiseLike<unknown>
}

/** Creates the rows that are not stored yet, and updates those that differ. */
export async function upsertRows<Columns extends object, Stored extends { sourcedId: string | null }>(
  kind: string,
  rows: FileRow<Columns>[],
  { find, create, refuse: refusal, update }: Upsert<Columns, Stored>,
): Promise<Imported> {
  const imported: Imported = { created: 0, updated: 0, unchanged: 0, issues: [] }
  for (const batch of batches(rows)) {
    const stored = new Map((await find(batch.map((row) => row.sourcedId))).map((row) => [row.sourcedId, row]))
    const missing = batch.filter((row) => !stored.has(row.sourcedId))
    if (missing.length > 0) await create(missing.map((row) => ({ ...row.columns, sourcedId: row.sourcedId })))
    imported.created += missing.length
    for (const { index, sourcedId, columns } of batch) {
      const row = stored.get(sourcedId)
      if (!row) continue
      if (!differs(row, columns)) {
        imported.unchanged += 1
        continue
      }
      const issues = (await refusal?.(row, columns)) ?? []
      imported.issues.push(...issues.map((issue) => ({ ...issue, path: [kind, String(index), ...issue.path] })))
      if (issues.length > 0) continue
      await update(row, columns)
      imported.updated += 1
    }
  }
  return imported
}

/** Whether a stored row has another value in one of these columns. */
export function differs(stored: object, columns: object): boolean {
  return Object.entries(columns).some(([key, value]) => !isDeepStrictEqual(Reflect.get(stored, key), value))
}

/**
 * Finds the stored rows that the file refers to, in batches. To be called after the rows of the file that others refer to were written.
 *
 * @param names the unique strings by which the file refers to rows, e.g. sourcedIds
 */
export async function findReferenced<Row>(
  names: (string | null | undefined)[],
  find: (names: string[]) => PromiseLike<Row[]>,
): Promise<Row[]> {
  const found: Row[] = []
  const wanted = [...new Set(names)].filter((it) => it != null)
  for (const batch of batches(wanted)) found.push(...(await find(batch)))
  return found
}

/** The issue for a reference to a row that does not exist. */
export function unknownReference(path: (string | number)[], what: string, value: string): ValidationIssue {
  const message = `There is no ${what} "${value}", neither in this file nor in the organisation.`
  return { path: path.map(String), code: 'UNKNOWN', message }
}

export function* batches<Item>(items: Item[]): Generator<Item[]> {
  for (let start = 0; start < items.length; start += BATCH_SIZE) yield items.slice(start, start + BATCH_SIZE)
}
