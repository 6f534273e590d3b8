import { z } from 'zod'
import { type ValidationCode, validationCodes, ValidationError, type ValidationIssue } from './failures.js'

/** Whether a string is a UUID of any version, so that PostgreSQL accepts it as one. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
}

type Refuse = { addIssue(issue: { code: 'custom'; message: string; params: { code: ValidationCode } }): void }

/** Adds an issue with one of our codes to a check of Zod. */
export function refuse(context: Refuse, code: ValidationCode, message: string): void {
  context.addIssue({ code: 'custom', message, params: { code } })
}

/** Whether PostgreSQL can store the text. It cannot store U+0000 or unpaired surrogates. */
export function isStorable(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed()
}

/** How many Unicode code points a text has, which is what all limits of texts count. */
function lengthOf(text: string): number {
  let length = 0
  for (const _ of text) length += 1
  return length
}

/**
 * Whether a column can hold the text, if its texts have at most `max` Unicode code points. A row can only be found by a text that its
 * column can hold: for any other there is no need to ask the database, which would compare it with every row all the same.
 */
export function canHold(max: number, text: string): boolean {
  // A code point is one or two code units. So a text that is much too long is told by its length, without being read.
  return text.length <= 2 * max && lengthOf(text) <= max && isStorable(text)
}

/** A text of `min` to `max` Unicode code points. */
export function text({ min = 0, max }: { min?: number; max: number }) {
  return z.string().superRefine((value, context) => {
    const length = lengthOf(value)
    if (length < min) refuse(context, 'TOO_SHORT', `At least ${min} ${min === 1 ? 'character is' : 'characters are'} needed.`)
    if (length > max) refuse(context, 'TOO_LONG', `At most ${max} characters are allowed, not ${length}.`)
    refuseUnstorable(value, context)
  })
}

/** A text of any length, for input that is only compared with stored texts. */
export const storable = z.string().superRefine(refuseUnstorable)

function refuseUnstorable(value: string, context: Refuse): void {
  if (!isStorable(value)) refuse(context, 'INVALID_FORMAT', 'U+0000 and unpaired surrogates are not allowed.')
}

const SOURCED_ID_LENGTH = 255

/** OneRoster's name for the id that a row has in the system that it comes from. */
export const sourcedId = text({ min: 1, max: SOURCED_ID_LENGTH })

/** Whether a row can have the text as its sourcedId. */
export function isSourcedId(text: string): boolean {
  return canHold(SOURCED_ID_LENGTH, text)
}

/** The maximum length of names and titles, in Unicode code points. */
export const NAME_LENGTH = 200

/** The name or title of a row, which has to show something. */
export const name = text({ min: 1, max: NAME_LENGTH }).superRefine((value, context) => {
  if (value !== '' && value.trim() === '') refuse(context, 'TOO_SHORT', 'More than blanks is needed.')
})

/** A number from `min` to `max`, both included. */
export function between(min: number, max: number) {
  return z.number().superRefine((value, context) => {
    if (value < min || value > max) refuse(context, 'OUT_OF_RANGE', `A number from ${min} to ${max} is needed.`)
  })
}

/** A value that cannot be cleared: null is refused with the code NOT_NULLABLE. */
export function notNull<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullable().transform((value, context) => {
    if (value !== null) return value
    refuse(context, 'NOT_NULLABLE', 'This cannot be cleared; leave it out to keep it.')
    return z.NEVER
  })
}

/** The version that a client expects a row to have, from 0. Null and undefined: any. */
export const expectedVersion = z
  .number()
  .superRefine((value, context) => {
    if (value < 0) refuse(context, 'OUT_OF_RANGE', 'A version is 0 or more.')
  })
  .nullish()

/**
 * Checks `input` against `schema`. Returns the parsed value, or an error with all issues.
 *
 * @param path the path of `input` in the arguments, e.g. `["input"]`
 */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  path: string[] = [],
): z.output<Schema> | ValidationError {
  // `reportInput` puts the input into each issue, so that codeOf() can tell a missing value from one of a wrong type.
  const result = schema.safeParse(input, { reportInput: true })
  return result.success ? result.data : new ValidationError(issuesOf(result.error, path))
}

/** Translates Zod's issues into ours, with `path` in front of each path. */
export function issuesOf(error: z.ZodError, path: string[] = []): ValidationIssue[] {
  return error.issues.map((issue) => ({
    path: [...path, ...issue.path.map(String)],
    code: codeOf(issue),
    message: issue.message,
  }))
}

const customParams = z.object({ code: z.enum(validationCodes) })

function codeOf(issue: z.core.$ZodIssue): ValidationCode {
  if (issue.code === 'custom') {
    const params = customParams.safeParse(issue.params)
    return params.success ? params.data.code : 'INVALID_FORMAT'
  }
  if (issue.code === 'invalid_type' && issue.input === undefined) return 'REQUIRED'
  if (issue.code === 'too_small') return issue.origin === 'number' ? 'OUT_OF_RANGE' : 'TOO_SHORT'
  if (issue.code === 'too_big') return issue.origin === 'number' ? 'OUT_OF_RANGE' : 'TOO_LONG'
  if (issue.code === 'unrecognized_keys') return 'UNKNOWN'
  return 'INVALID_FORMAT'
}
