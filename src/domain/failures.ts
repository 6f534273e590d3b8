import type { Scope } from './scopes.js'

/*
 * What a client can act on is returned as data, never thrown, so these classes do not extend Error:
 * Pothos and GraphQL would throw an Error that a resolver returns.
 */

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

/** One thing that is wrong with the input; the path starts at the argument. */
export interface ValidationIssue {
  path: string[]
  code: ValidationCode
  message: string
}

/** The input breaks a rule, alone or against what is stored. */
export class ValidationError {
  readonly message: string
  constructor(readonly issues: ValidationIssue[]) {
    this.message = issues.map(({ path, message }) => (path.length ? `${path.join('.')}: ${message}` : message)).join(' ')
  }
}

/** An id that is no UUID, does not exist or belongs to another organisation: all one to the client. */
export class NotFoundError {
  readonly message: string
  constructor(readonly ids: string[]) {
    this.message = `Not found: ${ids.join(', ')}.`
  }
}

/** The viewer lacks a scope (`requiredScope`), or may not touch the rows of `ids`. */
export class ForbiddenError {
  constructor(
    readonly message: string,
    readonly ids: string[],
    readonly requiredScope: Scope | null,
  ) {}
}

/** What every versioned row has. */
export interface VersionedRow {
  id: string
  organisationId: string
  version: number
  createdAt: Date
  updatedAt: Date
}

/** The row has another version than the client expected; nothing was changed. */
export class ConflictError<Row extends VersionedRow = VersionedRow> {
  readonly message: string
  readonly actualVersion: number
  constructor(
    readonly expectedVersion: number,
    readonly current: Row,
  ) {
    this.actualVersion = current.version
    this.message = `Version ${expectedVersion} was expected, but the current version is ${current.version}.`
  }
}

/** Another row already holds the place that is unique. */
export class AlreadyExistsError<Row> {
  constructor(
    readonly message: string,
    readonly existing: Row,
  ) {}
}

/** Whether a use case's answer is a failure and not its result. */
export function isFailure<Result>(
  answer: Result,
): answer is Extract<Result, ValidationError | NotFoundError | ForbiddenError | ConflictError | AlreadyExistsError<unknown>> {
  return (
    answer instanceof ValidationError ||
    answer instanceof NotFoundError ||
    answer instanceof ForbiddenError ||
    answer instanceof ConflictError ||
    answer instanceof AlreadyExistsError
  )
}
