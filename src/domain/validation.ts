import { z } from 'zod'
import { type ValidationCode, validationCodes, ValidationError, type ValidationIssue } from './failures.js'

/** Whether it has the form of a UUID, of whatever version, so that PostgreSQL takes it as one. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
}

type Refuse = { addIssue(issue: { code: 'custom'; message: string; params: { code: ValidationCode } }): void }

/** Adds an issue with one of our own codes to a zod check. */
export function refuse(context: Refuse, code: ValidationCode, message: string): void {
  context.addIssue({ code: 'custom', message, params: { code } })
}

/** Whether PostgreSQL can store the text as it is: it knows neither U+0000 nor half a surrogate pair. */
export function isStorable(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed()
}

/** A text of `min` to `max` Unicode code points. */
export function text({ min = 0, max }: { min?: number; max: number }) {
  return z.string().superRefine((value, context) => {
    const length = [...value].length
    if (length < min) refuse(context, 'TOO_SHORT', `At least ${min} ${min === 1 ? 'character is' : 'characters are'} needed.`)
    if (length > max) refuse(context, 'TOO_LONG', `At most ${max} characters are allowed, not ${length}.`)
    refuseUnstorable(value, context)
  })
}

/** A text that is only compared with stored ones, of any length. */
export const storable = z.string().superRefine(refuseUnstorable)

function refuseUnstorable(value: string, context: Refuse): void {
  if (!isStorable(value)) refuse(context, 'INVALID_FORMAT', 'U+0000 and unpaired surrogates are not allowed.')
}

/** The writer's own id of a row. */
export const sourcedId = text({ min: 1, max: 255 })

/** A number from `min` to `max`, both included. */
export function between(min: number, max: number) {
  return z.number().superRefine((value, context) => {
    if (value < min || value > max) refuse(context, 'OUT_OF_RANGE', `A number from ${min} to ${max} is needed.`)
  })
}

/** For a field that may be left out but not cleared. */
export function notNull<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullable().transform((value, context) => {
    if (value !== null) return value
    refuse(context, 'NOT_NULLABLE', 'This cannot be cleared; leave it out to keep it.')
    return z.NEVER
  })
}

/** The version that a client expects: 0 or more; null and undefined mean any. */
export const expectedVersion = z
  .number()
  .superRefine((value, context) => {
    if (value < 0) refuse(context, 'OUT_OF_RANGE', 'A version is 0 or more.')
  })
  .nullish()

/**
 * Checks `input` against `schema` without any I/O: the parsed value, or all issues together.
 *
 * @param path the argument that `input` is, e.g. `["input"]`
 */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  path: string[] = [],
): z.output<Schema> | ValidationError {
  // Only an issue that reports its input tells what is missing from what has a wrong type.
  const result = schema.safeParse(input, { reportInput: true })
  return result.success ? result.data : new ValidationError(issuesOf(result.error, path))
}

/** Zod's issues as ours, each path below `path`. */
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
