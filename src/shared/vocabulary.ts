/** What a viewer may do; a _WRITE scope includes its _READ. */
export const scopes = [
  'ASSESSMENTS_READ',
  'ASSESSMENTS_WRITE',
  'RECORDS_READ',
  'RECORDS_WRITE',
  'RESULTS_READ',
  'RESULTS_WRITE',
] as const
export type Scope = (typeof scopes)[number]

/** Why an input was refused, for programs. */
export const validationCodes = [
  'REQUIRED',
  'NOT_NULLABLE',
  'TOO_SHORT',
  'TOO_LONG',
  'OUT_OF_RANGE',
  'INVALID_FORMAT',
  'UNKNOWN',
  'IN_FUTURE',
  'WRONG_STATE',
  'DUPLICATE',
] as const
export type ValidationCode = (typeof validationCodes)[number]
