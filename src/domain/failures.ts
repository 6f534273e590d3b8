import type { Scope } from './scopes.js'

/*
 * Failures that a client can act on. They are returned as data and not thrown. The classes do not extend Error, because Pothos and
 * graphql-js throw an Error that a resolver returns.
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

/** An id is malformed, unknown or of another organisation. The client is not told which: rows of others are as if they did not exist. */
export class NotFoundError {
  readonly message: string
  constructor(readonly ids: string[]) {
    this.message = `Not found: ${ids.join(', ')}.`
  }
}

/** The viewer lacks the scope `requiredScope`, or some of the rows that the input names, `ids`, are not theirs. */
export class ForbiddenError {
  constructor(
    readonly message: string,
    readonly ids: string[],
    readonly requiredScope: Scope | null,
  ) {}
}

/** The columns that every versioned row has. */
export interface VersionedRow {
  id: string
  organisationId: string
  version: number
  createdAt: Date
  updatedAt: Date
}

/** The row `current` has another version than the client expected. Nothing was changed. */
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

/** A row that must be unique exists already. */
export class AlreadyExistsError<Row> {
  constructor(
    readonly message: string,
    readonly existing: Row,
  ) {}
}

/** Whether the result of a service is a failure. */
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
