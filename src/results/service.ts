// Creates and replaces assessment results through the version gate.
import { z } from 'zod'
import type { ServiceContext } from '../domain/service-context.js'
import { type AssessmentResult, Prisma } from '../generated/prisma/client.js'
import { type ConflictError, type ForbiddenError, isFailure, NotFoundError, ValidationError } from '../domain/failures.js'
import { check, expectedVersion, isSourcedId, sourcedId } from '../domain/validation.js'
import { changeVersioned, createVersioned, Write } from '../versioning/gate.js'
import { requireScope } from '../domain/viewer.js'
import { visible } from './access.js'
import { type PutInput, putInput, scoreIssues, scoreScaleValues } from './rules.js'

// Made once and not for each call, because Zod compiles a schema at its first use.
const putArgs = z.object({ sourcedId, expectedVersion, input: putInput })

type NewResult = Omit<Prisma.AssessmentResultCreateManyInput, 'organisationId' | 'changedBy' | 'changedByRequest'>

/**
 * Creates or replaces a whole result under the caller's sourcedId. Of several concurrent calls for a new sourcedId, exactly one creates
 * the result.
 */
export async function putAssessmentResult(
  context: ServiceContext,
  args: { sourcedId: string; expectedVersion?: number | null | undefined; input: z.input<typeof putInput> },
): Promise<
  | { assessmentResult: AssessmentResult; created: boolean }
  | ConflictError<AssessmentResult>
  | NotFoundError
  | ForbiddenError
  | ValidationError
> {
  const { store, viewer } = context
  const refused = requireScope(viewer, 'RESULTS_WRITE')
  if (refused) return refused
  const checked = check(putArgs, args)
  if (checked instanceof ValidationError) return checked
  const mustExist = (checked.expectedVersion ?? 0) > 0
  const references = await findReferences(context, checked.input)
  if (references instanceof NotFoundError) {
    const key = { ...visible(viewer), sourcedId: checked.sourcedId }
    const isMissing = mustExist && (await store.assessmentResult.count({ where: key })) === 0
    return isMissing ? new NotFoundError([checked.sourcedId, ...references.ids]) : references
  }
  const { issues, data } = references
  for (;;) {
    const changed = await changeVersioned(context, {
      model: context.store.assessmentResult,
      key: { sourcedId: checked.sourcedId },
      expectedVersion: checked.expectedVersion,
      change: () => (issues.length > 0 ? new ValidationError(issues) : new Write(data)),
    })
    if (!isFailure(changed)) return { assessmentResult: changed, created: false }
    if (!(changed instanceof NotFoundError) || mustExist) return changed
    if (issues.length > 0) return new ValidationError(issues)
    const [created] = await createVersioned<AssessmentResult, NewResult>(context, store.assessmentResult, [{ ...data, sourcedId: checked.sourcedId }])
    if (created) return { assessmentResult: created, created: true }
  }
}

/** Finds the rows that the input refers to. Returns the columns to write, and the issues that these rows raise; or the ids that do not exist. */
async function findReferences({ store, viewer }: ServiceContext, input: PutInput) {
  const { assessmentLineItemSourcedId, studentSourcedId, scoreScaleSourcedId, ...values } = input
  const [lineItem, student, givenScale] = await Promise.all([
    isSourcedId(assessmentLineItemSourcedId)
      ? store.assessmentLineItem.findFirst({
          where: { ...visible(viewer), sourcedId: assessmentLineItemSourcedId },
          include: { scoreScale: true },
        })
      : null,
    isSourcedId(studentSourcedId)
      ? store.user.findFirst({ where: { ...visible(viewer), sourcedId: studentSourcedId }, select: { id: true } })
      : null,
    scoreScaleSourcedId != null && isSourcedId(scoreScaleSourcedId)
      ? store.scoreScale.findFirst({ where: { ...visible(viewer), sourcedId: scoreScaleSourcedId } })
      : null,
  ])
  if (!lineItem || !student || (scoreScaleSourcedId != null && !givenScale)) {
    return new NotFoundError([
      ...(lineItem ? [] : [assessmentLineItemSourcedId]),
      ...(student ? [] : [studentSourcedId]),
      ...(scoreScaleSourcedId == null || givenScale ? [] : [scoreScaleSourcedId]),
    ])
  }
  const scale = givenScale ?? lineItem.scoreScale
  return {
    issues: scoreIssues(values, lineItem, scale && { values: scoreScaleValues.parse(scale.values) }),
    data: {
      status: values.status,
      assessmentLineItemId: lineItem.id,
      studentId: student.id,
      scoreDate: values.scoreDate,
      scoreStatus: values.scoreStatus,
      metadata: values.metadata ?? Prisma.DbNull,
      score: values.score ?? null,
      textScore: values.textScore ?? null,
      scoreScaleId: givenScale?.id ?? null,
      scorePercentile: values.scorePercentile ?? null,
      comment: values.comment ?? null,
      learningObjectiveSet: (values.learningObjectiveSet ?? []).map(({ source, learningObjectiveResults }) => ({
        source,
        learningObjectiveResults: learningObjectiveResults.map(({ learningObjectiveId, score, textScore }) => ({
          learningObjectiveId,
          score: score ?? null,
          textScore: textScore ?? null,
        })),
      })),
      inProgress: values.inProgress ?? null,
      incomplete: values.incomplete ?? null,
      late: values.late ?? null,
      missing: values.missing ?? null,
    },
  }
}
