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

/** What decides when a record expires. */
export interface Assessed {
  status: RecordStatus
  assessmentDate: Date | null
}

/**
 * Whether a record may be in this state: PASSED and FAILED need the time of the assessment, which
 * cannot be still to come. Null when it may.
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

/** When a record expires: `validityDays` days of 24 hours after the assessment, only while PASSED. */
export function expiryOf({ status, assessmentDate }: Assessed, validityDays: number | null): Date | null {
  if (status !== 'PASSED' || assessmentDate === null || validityDays === null) return null
  return new Date(assessmentDate.getTime() + validityDays * DAY_MS)
}

/** Whether a record has expired; at the very instant it has. */
export function isExpired(expiresAt: Date | null, now: Date): boolean {
  return expiresAt !== null && expiresAt <= now
}

