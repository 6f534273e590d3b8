import { DatabaseError } from 'pg'
import { z } from 'zod'
import { Prisma } from '../generated/prisma/client.js'
import { NoConnectionError } from './pool.js'

/** Why PostgreSQL refused a statement: the SQLSTATE code, and the violated constraint by its index or its columns. */
const refusal = z.object({
  originalCode: z.string(),
  constraint: z.union([z.object({ index: z.string() }), z.object({ fields: z.array(z.string()) })]).optional(),
})

/** Where Prisma puts a refusal in the `meta` of its error. */
const prismaRefusal = z.object({ driverAdapterError: z.object({ cause: refusal }) })

/** Why PostgreSQL refused a statement, whether Prisma or PreparedStatements sent it; undefined for any other error. */
function refusalOf(error: unknown): z.output<typeof refusal> | undefined {
  if (error instanceof Prisma.PrismaClientKnownRequestError) return prismaRefusal.safeParse(error.meta).data?.driverAdapterError.cause
  if (!(error instanceof DatabaseError) || error.code === undefined) return undefined
  return { originalCode: error.code, ...(error.constraint !== undefined && { constraint: { index: error.constraint } }) }
}

/** Whether `error` is a violation of the unique index `index` on these `columns`. Both are needed: Prisma may report either. */
export function isUniqueViolation(error: unknown, index: string, columns: string[]): boolean {
  const { originalCode, constraint } = refusalOf(error) ?? {}
  if (originalCode !== '23505' || !constraint) return false
  if ('index' in constraint) return constraint.index === index
  return constraint.fields.map((field) => field.replaceAll('"', '')).join() === columns.join()
}

/** Whether PostgreSQL cancelled a statement to resolve a deadlock, so that it can be sent again. */
export function isDeadlock(error: unknown): boolean {
  return refusalOf(error)?.originalCode === '40P01'
}

/** SQLSTATE codes with which PostgreSQL ends a connection: 57P01, by an administrator or a shutdown, and its like; 08, connection exceptions. */
const CONNECTION_ENDED = /^(57P|08)/

/**
 * Whether a statement that failed has certainly changed nothing: PostgreSQL refused it, or it was never sent. After any other error, such
 * as a broken connection, it may have been executed all the same.
 */
export function hasChangedNothing(error: unknown): boolean {
  if (error instanceof NoConnectionError) return true
  const code = refusalOf(error)?.originalCode
  return code !== undefined && !CONNECTION_ENDED.test(code)
}
