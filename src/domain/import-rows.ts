// What the imported rows of every kind have in common: a row is known by its sourcedId, is written
// whole, and stays untouched when nothing in it differs.
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import type { ValidationIssue } from './failures.js'
import { refuse, text } from './validation.js'

/** How many rows a statement takes, far below the number of parameters that PostgreSQL allows. */
const BATCH_SIZE = 1_000

export const name = text({ min: 1, max: 200 })
export const description = text({ max: 10_000 })

/** An instant as the DateTime scalar takes it, in the years 1 to 9999. */
export const instant = z.iso.datetime({ offset: true }).transform((iso, context) => {
  const date = new Date(iso)
  const year = date.getUTCFullYear()
  if (year >= 1 && year <= 9999) return date
  refuse(context, 'INVALID_FORMAT', 'A time lies in the years 0001 to 9999 (UTC).')
  return z.NEVER
})

/** A list of rows, no two of which have the same text under one of `keys`. */
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
    // A row of a wrong form must not hide that two others are the same.
    { when: ({ value }) => Array.isArray(value) },
  )
}

/** What became of the rows of one kind. */
export interface Imported {
  created: number
  updated: number
  unchanged: number
  /** Why nothing of the file may be kept, if anything. */
  issues: ValidationIssue[]
}

/** A row of the file: the columns that it sets, every optional one included. */
export interface FileRow<Columns> {
  /** Its place in the file's list. */
  index: number
  sourcedId: string
  columns: Columns
}

/** How the rows of one kind are read and written. */
interface Upsert<Columns, Stored> {
  find(sourcedIds: string[]): PromiseLike<Stored[]>
  create(rows: (Columns & { sourcedId: string })[]): PromiseLike<unknown>
  /** Why a stored row may not become what the file says; paths start at the row. */
  refuse?(stored: Stored, columns: Columns): ValidationIssue[] | Promise<ValidationIssue[]>
  update(stored: Stored, columns: Columns): PromiseLike<unknown>
}

/** Creates the rows that are not stored yet and updates those that differ. */
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
      if (issues.length === 0) await update(row, columns)
      imported.updated += 1
    }
  }
  return imported
}

/** Whether a stored row has something else in one of these columns. */
export function differs(stored: object, columns: object): boolean {
  return Object.entries(columns).some(([key, value]) => !isDeepStrictEqual(Reflect.get(stored, key), value))
}

/**
 * Finds what the file refers to by a text such as a sourcedId, whether it came with the same file
 * or was stored before.
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

/** The issue of a reference that nothing answers to. */
export function unknownReference(path: (string | number)[], what: string, value: string): ValidationIssue {
  const message = `There is no ${what} "${value}", neither in this file nor in the organisation.`
  return { path: path.map(String), code: 'UNKNOWN', message }
}

export function* batches<Item>(items: Item[]): Generator<Item[]> {
  for (let start = 0; start < items.length; start += BATCH_SIZE) yield items.slice(start, start + BATCH_SIZE)
}
