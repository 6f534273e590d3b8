// Changes assessment records through the version gate.
import { z } from 'zod'
import type { ServiceContext } from '../domain/service-context.js'
import type { AssessmentRecord } from '../generated/prisma/client.js'
import { type ConflictError, type ForbiddenError, NotFoundError, ValidationError, type ValidationIssue } from '../domain/failures.js'
import { check, expectedVersion, isUuid } from '../domain/validation.js'
import { changeVersioned, Write } from '../versioning/gate.js'
import { requireScope } from '../domain/viewer.js'
import { visible } from './access.js'
import { assessedError, expiryOf, updateInput } from './rules.js'

// Made once and not for each call, because Zod compiles a schema at its first use.
const updateArgs = z.object({ expectedVersion, input: updateInput })

/** Changes the fields of a record that the input has, and derives expiresAt from them. */
export async function updateAssessmentRecord(
  context: ServiceContext,
  args: { id: string; expectedVersion?: number | null | undefined; input: z.input<typeof updateInput> },
): Promise<AssessmentRecord | ConflictError<AssessmentRecord> | NotFoundError | ForbiddenError | ValidationError> {
  const { store, viewer } = context
  const refused = requireScope(viewer, 'RECORDS_WRITE')
  if (refused) return refused
  const checked = check(updateArgs, args)
  if (checked instanceof ValidationError) return checked

  const { status, assessmentDate, assessorId } = checked.input
  if (status !== undefined && assessmentDate !== undefined) {
    const issue = assessedError({ status, assessmentDate }, new Date())
    if (issue) return inInput(issue)
  }
  if (assessorId != null) {
    const missing = await missingIds(context, args.id, assessorId)
    if (missing.length > 0) return new NotFoundError(missing)
  }
  return changeVersioned(context, {
    model: context.store.assessmentRecord,
    key: { id: args.id },
    expectedVersion: checked.expectedVersion,
    change: async (row: AssessmentRecord) => {
      const state = { status: row.status, assessmentDate: row.assessmentDate, ...checked.input }
      const issue = assessedError(state, new Date())
      if (issue) return inInput(issue)
      const definition = await store.assessmentTemplate.findFirst({
        where: { ...visible(viewer), id: row.assessmentDefinitionId },
        select: { validityDays: true },
      })
      return new Write({ ...checked.input, expiresAt: expiryOf(state, definition?.validityDays ?? null) })
    },
  })
}

/** The ids of the record and the assessor that do not exist. Both are looked up, so that one failure names both. */
async function missingIds({ store, viewer }: ServiceContext, id: string, assessorId: string): Promise<string[]> {
  const [record, assessor] = await Promise.all([
    isUuid(id) ? store.assessmentRecord.count({ where: { ...visible(viewer), id } }) : 0,
    isUuid(assessorId) ? store.user.count({ where: { ...visible(viewer), id: assessorId } }) : 0,
  ])
  return [...(record ? [] : [id]), ...(assessor ? [] : [assessorId])]
}

function inInput(issue: ValidationIssue): ValidationError {
  return new ValidationError([{ ...issue, path: ['input', ...issue.path] }])
}
