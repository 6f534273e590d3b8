import { hasChangedNothing } from '../database/errors.js'
import type { Prisma, PrismaClient } from '../generated/prisma/client.js'
import { currentScope } from '../request-scope/request-scope.js'
import type { Written } from '../request-scope/writes.js'

/*
 * What a request has written is noted in its scope, because its client has to be told of it when something fails afterwards. A row counts
 * as written once it is committed.
 */

/** Sends a statement that writes rows outside of a transaction, and notes the rows for the current request. Returns them. */
export async function notingRows<Row extends Written>(statement: PromiseLike<Row[]>): Promise<Row[]> {
  const end = currentScope()?.writes.begin()
  try {
    const rows = await statement
    end?.(rows)
    return rows
  } catch (error) {
    if (hasChangedNothing(error)) end?.([])
    throw error
  }
}

/**
 * Runs a transaction that writes rows, and notes the rows for the current request when it is committed. Returns what `run` returns.
 *
 * @param writtenBy Which rows were written, by what `run` has returned.
 */
export async function notingTransaction<Result>(
  store: PrismaClient,
  run: (transaction: Prisma.TransactionClient) => Promise<Result>,
  { writtenBy, ...options }: { writtenBy(result: Result): Written[]; timeout: number; maxWait: number },
): Promise<Result> {
  const end = currentScope()?.writes.begin()
  // Until all of `run` is done, nothing can be committed.
  const progress = { isCommitting: false }
  try {
    const result = await store.$transaction(async (transaction) => {
      const ran = await run(transaction)
      progress.isCommitting = true
      return ran
    }, options)
    end?.(writtenBy(result))
    return result
  } catch (error) {
    if (!progress.isCommitting || hasChangedNothing(error)) end?.([])
    throw error
  }
}
