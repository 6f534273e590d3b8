import { z } from 'zod'
import { Prisma } from '../generated/prisma/client.js'

/** How the pg driver adapter tells which unique constraint was broken, by its index or its columns. */
const uniqueViolation = z.object({
  driverAdapterError: z.object({
    cause: z.object({
      constraint: z.union([z.object({ index: z.string() }), z.object({ fields: z.array(z.string()) })]),
    }),
  }),
})

/** Whether `error` says that a write broke the unique index named `index` with these `columns`. */
export function isUniqueViolation(error: unknown, index: string, columns: string[]): boolean {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError) || error.code !== 'P2002') return false
  const details = uniqueViolation.safeParse(error.meta)
  if (!details.success) return false
  const { constraint } = details.data.driverAdapterError.cause
  if ('index' in constraint) return constraint.index === index
  return constraint.fields.map((field) => field.replaceAll('"', '')).join() === columns.join()
}

/** How the pg driver adapter tells PostgreSQL's own code of an error. */
const originalCode = z.object({ driverAdapterError: z.object({ cause: z.object({ originalCode: z.string() }) }) })

/** Whether PostgreSQL undid a statement only because it stood in the way of another, so that it can be sent again. */
export function isDeadlock(error: unknown): boolean {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return false
  return error.code === 'P2034' || originalCode.safeParse(error.meta).data?.driverAdapterError.cause.originalCode === '40P01'
}
