// Creates and changes assessments through the version gate, for the mutations and the demo data. refresh-service.ts refreshes them.
import { v7 as newId } from 'uuid'
import { z } from 'zod'
import type { ServiceContext } from '../domain/service-context.js'
import { type Assessment, Prisma } from '../generated/prisma/client.js'
import { isUniqueViolation } from '../database/errors.js'
import { AlreadyExistsError, type ConflictError, type ForbiddenError, NotFoundError, ValidationError } from '../domain/failures.js'
import { check, expectedVersion, isUuid } from '../domain/validation.js'
import { changeVersioned, createVersioned, Write } from '../versioning/gate.js'
import { requireScope } from '../domain/viewer.js'
import { questionOptions, type TemplateSection, templateSections } from '../templates/rules.js'
import { visible } from './access.js'
import {
  answerSections,
  answersInput,
  type BankQuestion,
  createInput,
  defaultName,
  drawSections,
  overallRisk,
  poolKey,
  sections,
  updateInput,
} from './rules.js'

// Made once and not for each call, because Zod compiles a schema at its first use.
const createArgs = z.object({ input: createInput })
const updateArgs = z.object({ expectedVersion, input: updateInput })
const answersArgs = z.object({ expectedVersion, answers: answersInput })

type NewAssessment = Omit<Prisma.AssessmentCreateManyInput, 'organisationId' | 'changedBy' | 'changedByRequest'>

/**
 * Creates an assessment and starts its workflow, with one INSERT. If the bank has too few questions, the assessment is created all the
 * same, with its workflow in state ERROR.
 */
export async function createAssessment(
  context: ServiceContext,
  args: { input: z.input<typeof createInput> },
): Promise<Assessment | AlreadyExistsError<Assessment> | NotFoundError | ForbiddenError | ValidationError> {
  const { store, viewer } = context
  const refused = requireScope(viewer, 'ASSESSMENTS_WRITE')
  if (refused) return refused
  const checked = check(createArgs, args)
  if (checked instanceof ValidationError) return checked
  const { entityId, templateId, name, intakeMode } = checked.input

  const [entity, template] = await Promise.all([
    isUuid(entityId) ? store.entity.findFirst({ where: { ...visible(viewer), id: entityId } }) : null,
    isUuid(templateId)
      ? store.assessmentTemplate.findFirst({
          where: { ...visible(viewer), id: templateId },
          include: { outcomes: { orderBy: [{ position: 'asc' }, { id: 'asc' }], take: 1 } },
        })
      : null,
  ])
  if (!entity || !template) {
    return new NotFoundError([...(entity ? [] : [entityId]), ...(template ? [] : [templateId])])
  }

  const plan = templateSections.parse(template.sections)
  const drawn = drawSections(plan, await liveQuestions(context, plan), newId)
  const [firstStep] = template.workflowSteps
  const place = { entityId: entity.id, templateType: template.type }
  for (;;) {
    // The unique index Assessment_open_key has only ACTIVE workflows, so it cannot refuse an assessment in state ERROR.
    const existing = drawn.exhausted ? await openAssessment(context, place) : null
    if (existing) return alreadyOpen(existing)
    const [created] = await createVersioned<Assessment, NewAssessment>(context, store.assessment, [
      {
        ...place,
        templateId: template.id,
        name: name ?? defaultName(template, entity),
        companyName: entity.name,
        companyType: entity.companyType,
        country: entity.country,
        ...(intakeMode && { intakeMode }),
        createdById: viewer.user?.id ?? null,
        outcomeId: template.outcomes[0]?.id ?? null,
        sections: drawn.sections,
        ...(drawn.exhausted
          ? {
              workflowState: 'ERROR',
              workflowErrorType: 'QUESTION_POOL_EXHAUSTED',
              workflowErrorMessage: `Section ${drawn.exhausted.sectionIndex + 1} needs ${drawn.exhausted.required} questions, but only ${drawn.exhausted.available} are available.`,
              workflowErrorStep: firstStep,
              workflowErrorDetails: { ...drawn.exhausted },
            }
          : { workflowState: 'ACTIVE', workflowStep: firstStep }),
      },
    ])
    if (created) return created
    const winner = await openAssessment(context, place)
    if (winner) return alreadyOpen(winner)
  }
}

/** Reads the questions that a template can need: of each pool, those that are not deleted with the lowest qids. */
async function liveQuestions({ store, viewer }: ServiceContext, plan: TemplateSection[]): Promise<BankQuestion[]> {
  const pools = new Map<string, { topic: string; difficulty: TemplateSection['difficulty']; needed: number }>()
  for (const { topic, difficulty, questionCount } of plan) {
    const key = poolKey({ topic, difficulty })
    pools.set(key, { topic, difficulty, needed: questionCount + (pools.get(key)?.needed ?? 0) })
  }
  const drawn = await Promise.all(
    [...pools.values()].map(({ needed, ...pool }) =>
      store.question.findMany({ where: { ...visible(viewer), ...pool, deleted: false }, orderBy: { qid: 'asc' }, take: needed }),
    ),
  )
  return drawn.flat().map((question) => ({ ...question, options: questionOptions.parse(question.options) }))
}

/** Finds the open assessment of an entity and template type. The unique index Assessment_open_key defines what is open, and allows only one. */
function openAssessment({ store, viewer }: ServiceContext, place: { entityId: string; templateType: string }) {
  return store.assessment.findFirst({
    where: { ...visible(viewer), ...place, status: { not: 'COMPLETE' }, workflowState: 'ACTIVE' },
  })
}

function alreadyOpen(existing: Assessment): AlreadyExistsError<Assessment> {
  return new AlreadyExistsError('The entity already has an open assessment of this template type.', existing)
}

/** Changes the fields of an assessment that the input has. Becoming COMPLETE computes its risk score; leaving COMPLETE removes it. */
export async function updateAssessment(
  context: ServiceContext,
  args: { id: string; expectedVersion?: number | null | undefined; input: z.input<typeof updateInput> },
): Promise<
  Assessment | AlreadyExistsError<Assessment> | ConflictError<Assessment> | NotFoundError | ForbiddenError | ValidationError
> {
  const refused = requireScope(context.viewer, 'ASSESSMENTS_WRITE')
  if (refused) return refused
  const checked = check(updateArgs, args)
  if (checked instanceof ValidationError) return checked
  const { input, input: { status } } = checked
  let seen: Assessment | undefined
  for (;;) {
    try {
      return await changeVersioned(context, {
        model: context.store.assessment,
        key: { id: args.id },
        expectedVersion: checked.expectedVersion,
        change:
          status === undefined
            ? new Write<Prisma.AssessmentUncheckedUpdateManyInput>(input)
            : async (row: Assessment) => {
                seen = row
                return new Write({ ...input, ...(await riskChange(context, row, status)) })
              },
      })
    } catch (error) {
      if (!seen || !isUniqueViolation(error, 'Assessment_open_key', ['organisationId', 'entityId', 'templateType'])) throw error
      const existing = await openAssessment(context, { entityId: seen.entityId, templateType: seen.templateType })
      if (existing) return alreadyOpen(existing)
    }
  }
}

/** The changes of score, level and outcome when an assessment becomes COMPLETE or leaves that status. */
async function riskChange(
  { store, viewer }: ServiceContext,
  row: Assessment,
  status: Assessment['status'],
): Promise<Prisma.AssessmentUncheckedUpdateManyInput> {
  if ((status === 'COMPLETE') === (row.status === 'COMPLETE')) return {}
  const outcomes = await store.outcome.findMany({
    where: { ...visible(viewer), templateId: row.templateId },
    orderBy: [{ position: 'asc' }, { id: 'asc' }],
  })
  if (status !== 'COMPLETE') {
    return { overallRiskScore: null, overallRiskLevel: null, outcomeId: outcomes[0]?.id ?? null }
  }
  const risk = overallRisk(sections.parse(row.sections))
  if (!risk) return {}
  const outcome = outcomes.find(({ riskLevel }) => riskLevel === risk.level)
  return { overallRiskScore: risk.score, overallRiskLevel: risk.level, ...(outcome && { outcomeId: outcome.id }) }
}

/** Sets or clears answers of an assessment, either all or none. */
export async function answerAssessmentQuestions(
  context: ServiceContext,
  args: { id: string; expectedVersion?: number | null | undefined; answers: z.input<typeof answersInput> },
): Promise<Assessment | ConflictError<Assessment> | NotFoundError | ForbiddenError | ValidationError> {
  const refused = requireScope(context.viewer, 'ASSESSMENTS_WRITE')
  if (refused) return refused
  const checked = check(answersArgs, args)
  if (checked instanceof ValidationError) return checked
  return changeVersioned(context, {
    model: context.store.assessment,
    key: { id: args.id },
    expectedVersion: checked.expectedVersion,
    change: (row: Assessment) => {
      const answered = answerSections(sections.parse(row.sections), checked.answers)
      const issues = 'issues' in answered ? answered.issues : []
      if (row.status === 'COMPLETE') {
        issues.unshift({ path: [], code: 'WRONG_STATE', message: 'A COMPLETE assessment takes no answers; reopen it first.' })
      }
      return 'issues' in answered || issues.length > 0 ? new ValidationError(issues) : new Write({ sections: answered.sections })
    },
  })
}
