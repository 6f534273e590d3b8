/** What a credential allows. A _WRITE scope includes its _READ. */
export const scopes = [
  'ASSESSMENTS_READ',
  'ASSESSMENTS_WRITE',
  'RECORDS_READ',
  'RECORDS_WRITE',
  'RESULTS_READ',
  'RESULTS_WRITE',
] as const
export type Scope = (typeof scopes)[number]
