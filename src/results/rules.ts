import { z } from 'zod'
import type { ValidationIssue } from '../domain/failures.js'
import { jsonObject } from '../domain/json.js'
import { between, isStorable, isUuid, refuse, text } from '../domain/validation.js'

/* ---- what is kept as JSON ---------------------------------------------------------------------- */

export const learningObjectiveSets = z.array(
  z.object({
    source: z.string(),
    learningObjectiveResults: z.array(
      z.object({ learningObjectiveId: z.string(), score: z.number().nullable(), textScore: z.string().nullable() }),
    ),
  }),
)
export type LearningObjectiveSet = z.output<typeof learningObjectiveSets>[number]

export const scoreScaleValue = z.strictObject({ itemValueLHS: text({ min: 1, max: 255 }), itemValueRHS: text({ min: 1, max: 255 }) })
export const scoreScaleValues = z.array(scoreScaleValue).min(1).max(1000)

/* ---- input ------------------------------------------------------------------------------------- */

const METADATA_BYTES = 65_536
/** PostgreSQL parses JSON recursively. This depth is far below the one at which its stack would overflow. */
const METADATA_DEPTH = 100

const metadata = jsonObject.superRefine((value, context) => {
  if (!isStorableJson(value, METADATA_DEPTH)) {
    refuse(context, 'INVALID_FORMAT', `U+0000, unpaired surrogates, whole numbers beyond ±(2^53 - 1) and more than ${METADATA_DEPTH} levels are not allowed.`)
    return
  }
  const bytes = Buffer.byteLength(JSON.stringify(value))
  if (bytes > METADATA_BYTES) refuse(context, 'TOO_LONG', `At most ${METADATA_BYTES} bytes of JSON are allowed, not ${bytes}.`)
})

function isStorableJson(value: unknown, levels: number): boolean {
  if (typeof value === 'string') return isStorable(value)
  // JSON parsers round whole numbers beyond these, which are then others than were sent.
  if (typeof value === 'number') return Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value)
  if (typeof value !== 'object' || value === null) return true
  if (levels === 0) return false
  return Object.entries(value).every(([key, item]) => isStorable(key) && isStorableJson(item, levels - 1))
}

const anyText = text({ max: 65_536 })

const learningObjectiveSet = z
  .object({
    source: text({ min: 1, max: 255 }),
    learningObjectiveResults: z.array(
      z.object({
        learningObjectiveId: text({ min: 1, max: 255 }),
        score: z.number().nullish(),
        textScore: anyText.nullish(),
      }),
    ),
  })
  .superRefine(({ source, learningObjectiveResults }, context) => {
    if (source !== 'case') return
    for (const [index, { learningObjectiveId }] of learningObjectiveResults.entries()) {
      if (isUuid(learningObjectiveId)) continue
      context.addIssue({
        code: 'custom',
        path: ['learningObjectiveResults', index, 'learningObjectiveId'],
        message: 'A learning objective of the source "case" is named by its UUID.',
        params: { code: 'INVALID_FORMAT' },
      })
    }
  })

export const putInput = z.object({
  status: z.enum(['ACTIVE', 'TOBEDELETED']),
  assessmentLineItemSourcedId: z.string(),
  studentSourcedId: z.string(),
  scoreDate: z.date(),
  scoreStatus: z.enum(['EXEMPT', 'FULLY_GRADED', 'NOT_SUBMITTED', 'PARTIALLY_GRADED', 'SUBMITTED']),
  metadata: metadata.nullish(),
  score: z.number().nullish(),
  textScore: anyText.nullish(),
  scoreScaleSourcedId: z.string().nullish(),
  scorePercentile: between(0, 100).nullish(),
  comment: anyText.nullish(),
  learningObjectiveSet: z.array(learningObjectiveSet).nullish(),
  inProgress: z.boolean().nullish(),
  incomplete: z.boolean().nullish(),
  late: z.boolean().nullish(),
  missing: z.boolean().nullish(),
})
export type PutInput = z.output<typeof putInput>

/* ---- against what is stored -------------------------------------------------------------------- */

/** The issues of a score that the line item or the scale does not allow. @param scale of the result, or else of the line item */
export function scoreIssues(
  { score, textScore }: Pick<PutInput, 'score' | 'textScore'>,
  lineItem: { resultValueMin: number | null; resultValueMax: number | null },
  scale: { values: z.output<typeof scoreScaleValues> } | null,
): ValidationIssue[] {
  const issues: ValidationIssue[] = []
  const { resultValueMin: min, resultValueMax: max } = lineItem
  if (score != null && ((min !== null && score < min) || (max !== null && score > max))) {
    const message = `The line item takes scores from ${min ?? 'any'} to ${max ?? 'any'}.`
    issues.push({ path: ['input', 'score'], code: 'OUT_OF_RANGE', message })
  }
  if (textScore != null && scale && !scale.values.some(({ itemValueLHS }) => itemValueLHS === textScore)) {
    const message = `The score scale has: ${scale.values.map(({ itemValueLHS }) => itemValueLHS).join(', ')}.`
    issues.push({ path: ['input', 'textScore'], code: 'UNKNOWN', message })
  }
  return issues
}
