import { builder } from './builder.js'
import { ForbiddenError, NotFoundError, type validationCodes, ValidationError, type ValidationIssue } from '../domain/failures.js'
import type { scopes } from '../domain/scopes.js'

export const Scope = builder.enumType('Scope', {
  description: 'What a credential allows. A _WRITE scope includes its _READ.',
  values: {
    ASSESSMENTS_READ: { description: 'Read assessments.' },
    ASSESSMENTS_WRITE: { description: 'Read, create, update, answer and refresh assessments.' },
    RECORDS_READ: { description: 'Read assessment records.' },
    RECORDS_WRITE: { description: 'Read and update assessment records.' },
    RESULTS_READ: { description: 'Read assessment results. OneRoster: assessment.readonly.' },
    RESULTS_WRITE: { description: 'Read and put assessment results. OneRoster: assessment.createput.' },
  } satisfies Record<(typeof scopes)[number], object>,
})

export const ErrorInterface = builder.interfaceRef<{ message: string }>('Error').implement({
  description: 'A failure that a client can act on. It is returned in the result union of a mutation, never thrown.',
  fields: (t) => ({ message: t.exposeString('message', { description: 'What went wrong, for people.' }) }),
})

const ValidationCode = builder.enumType('ValidationCode', {
  description: 'Why an input was refused, for programs.',
  values: {
    REQUIRED: { description: 'Something needed is missing.' },
    NOT_NULLABLE: { description: 'The field can be left out but not cleared.' },
    TOO_SHORT: { description: 'Fewer characters or items than allowed.' },
    TOO_LONG: { description: 'More characters, items or bytes than allowed.' },
    OUT_OF_RANGE: { description: 'A number outside its range.' },
    INVALID_FORMAT: { description: 'Not of the form that the field has.' },
    UNKNOWN: { description: 'It names something that is not there.' },
    IN_FUTURE: { description: 'A time that has not come yet.' },
    WRONG_STATE: { description: 'The state of the row, or the one that would result, does not allow it.' },
    DUPLICATE: { description: 'It is named more than once.' },
  } satisfies Record<(typeof validationCodes)[number], object>,
})

const Issue = builder.objectRef<ValidationIssue>('ValidationIssue').implement({
  shareable: true,
  description: 'One thing that is wrong with the input.',
  fields: (t) => ({
    path: t.exposeStringList('path', {
      description:
        'Where, from the argument on: `["input", "name"]`, `["answers", "0", "optionKey"]`. Empty where no argument is at fault.',
    }),
    code: t.expose('code', { type: ValidationCode, description: 'Why, for programs.' }),
    message: t.exposeString('message', { description: 'Why, for people.' }),
  }),
})

export const ValidationErrorType = builder.objectType(ValidationError, {
  name: 'ValidationError',
  shareable: true,
  description: 'The input breaks a rule, alone or against what is stored. Nothing was changed.',
  interfaces: [ErrorInterface],
  isTypeOf: (value) => value instanceof ValidationError,
  fields: (t) => ({ issues: t.expose('issues', { type: [Issue], description: 'All issues of this stage together.' }) }),
})

export const NotFoundErrorType = builder.objectType(NotFoundError, {
  name: 'NotFoundError',
  shareable: true,
  description:
    'Something that the input names is not there: the id is malformed, unknown or of another organisation. Nothing was changed.',
  interfaces: [ErrorInterface],
  isTypeOf: (value) => value instanceof NotFoundError,
  fields: (t) => ({ ids: t.exposeIDList('ids', { description: 'Every id that was not found, as it was sent.' }) }),
})

export const ForbiddenErrorType = builder.objectType(ForbiddenError, {
  name: 'ForbiddenError',
  shareable: true,
  description: 'The credential lacks a scope, or some of the ids may not be touched. Nothing was changed.',
  interfaces: [ErrorInterface],
  isTypeOf: (value) => value instanceof ForbiddenError,
  fields: (t) => ({
    ids: t.exposeIDList('ids', { description: 'The ids that may not be touched; empty when a scope is missing.' }),
    requiredScope: t.expose('requiredScope', { type: Scope, nullable: true, description: 'The scope that is missing, if it is one.' }),
  }),
})
