import { DatabaseError } from 'pg'
import { z } from 'zod'
import { Prisma } from '../generated/prisma/client.js'

/** Why PostgreSQL refused a statement: its code, and the constraint that was broken, by its index or its columns. */
const refusal = z.object({
  originalCode: z.string(),
  constraint: z.union([z.object({ index: z.string() }), z.object({ fields: z.array(z.string()) })]).optional(),
})

/** The same where Prisma sent the statement, as its driver adapter tells it. */
const prismaRefusal = z.object({ driverAdapterError: z.object({ cause: refusal }) })

/** Of a statement that Prisma sent, or one that was written here; undefined for any other error. */
function refusalOf(error: unknown): z.output<typeof refusal> | undefined {
  if (error instanceof Prisma.PrismaClientKnownRequestError) return prismaRefusal.safeParse(error.meta).data?.driverAdapterError.cause
  if (!(error instanceof DatabaseError) || error.code === undefined) return undefined
  return { originalCode: error.code, ...(error.constraint !== undefined && { constraint: { index: error.constraint } }) }
}

/** Whether `error` says that a write broke the unique index named `index` with these `columns`. */
export function isUniqueViolation(error: unknown, index: string, columns: string[]): boolean {
  const { originalCode, constraint } = refusalOf(error) ?? {}
  if (originalCode !== '23505' || !constraint) return false
  if ('index' in constraint) return constraint.index === index
  return constraint.fields.map((field) => field.replaceAll('"', '')).join() === columns.join()
}

/** Whether PostgreSQL undid a statement only because it stood in the way of another, so that it can be sent again. */
export function isDeadlock(error: unknown): boolean {
  return refusalOf(error)?.originalCode === '40P01'
}
