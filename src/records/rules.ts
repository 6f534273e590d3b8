import { z } from 'zod'
import type { ValidationIssue } from '../domain/failures.js'
import { notNull } from '../domain/validation.js'

export const recordStatus = z.enum(['PENDING', 'PASSED', 'FAILED'])
export type RecordStatus = z.output<typeof recordStatus>

export const updateInput = z.object({
  status: notNull(recordStatus).optional(),
  assessmentDate: z.date().nullable().optional(),
  assessorId: z.string().nullable().optional(),
})

/** The columns that determine when a record expires. */
export interface Assessed {
  status: RecordStatus
  assessmentDate: Date | null
}

/**
 * Checks the state of a record: PASSED and FAILED need an assessmentDate that is not in the future. Returns the issue, or null if there
 * is none.
 */
export function assessedError({ status, assessmentDate }: Assessed, now: Date): ValidationIssue | null {
  if (status !== 'PENDING' && assessmentDate === null) {
    return { path: ['assessmentDate'], code: 'REQUIRED', message: `A ${status} record needs an assessmentDate.` }
  }
  if (status !== 'PENDING' && assessmentDate !== null && assessmentDate > now) {
    return { path: ['assessmentDate'], code: 'IN_FUTURE', message: `The assessmentDate of a ${status} record cannot be in the future.` }
  }
  return null
}

const DAY_MS = 86_400_000

/** When a record expires: `validityDays` days of 24 hours after the assessmentDate. Null if it does not: only a PASSED record expires. */
export function expiryOf({ status, assessmentDate }: Assessed, validityDays: number | null): Date | null {
  if (status !== 'PASSED' || assessmentDate === null || validityDays === null) return null
  return new Date(assessmentDate.getTime() + validityDays * DAY_MS)
}

/** Whether a record has expired. At exactly `expiresAt` it has. */
export function isExpired(expiresAt: Date | null, now: Date): boolean {
  return expiresAt !== null && expiresAt <= now
}
