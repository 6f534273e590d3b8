// Simulates the use of a demo organisation after its data was imported. It calls the services as the mutations do, so that assessments,
// records and results have a history.
import { z } from 'zod'
import { answerAssessmentQuestions, createAssessment, updateAssessment } from '../assessments/service.js'
import { createInput, sections, updateInput } from '../assessments/rules.js'
import type { ServiceContext } from '../domain/service-context.js'
import { updateAssessmentRecord } from '../records/service.js'
import { updateInput as recordInput } from '../records/rules.js'
import { putInput } from '../results/rules.js'
import { putAssessmentResult } from '../results/service.js'
import { isFailure } from '../domain/failures.js'
import { instant } from '../domain/import-rows.js'
import { sourcedId } from '../domain/validation.js'

const assessment = z.strictObject({
  entitySourcedId: sourcedId,
  templateSourcedId: sourcedId,
  createdBySourcedId: sourcedId.optional(),
  ...createInput.pick({ name: true, intakeMode: true }).shape,
  /** For each question in order, the index of the chosen option; null leaves the question unanswered. */
  answers: z.array(z.int().min(0).nullable()).default([]),
  /** Each becomes a call of updateAssessment. */
  updates: z.array(updateInput).default([]),
})

export const activity = z.strictObject({
  assessments: z.array(assessment),
  recordUpdates: z.array(
    z.strictObject({ sourcedId, ...recordInput.pick({ status: true }).shape, assessmentDate: instant.optional() }),
  ),
  /** Put in this order: a later result replaces an earlier one with the same sourcedId. */
  results: z.array(putInput.extend({ sourcedId, scoreDate: instant })),
})
export type Activity = z.output<typeof activity>

export async function createAssessments({ store, viewer }: ServiceContext, assessments: Activity['assessments']): Promise<void> {
  const { id: organisationId } = viewer.organisation
  for (const { entitySourcedId, templateSourcedId, createdBySourcedId, answers, updates, ...input } of assessments) {
    const entity = await store.entity.findFirstOrThrow({ where: { organisationId, sourcedId: entitySourcedId } })
    const template = await store.assessmentTemplate.findFirstOrThrow({ where: { organisationId, sourcedId: templateSourcedId } })
    const user = createdBySourcedId ? await store.user.findFirstOrThrow({ where: { organisationId, sourcedId: createdBySourcedId } }) : null
    const services = { store, viewer: { ...viewer, user } }
    const created = await createAssessment(services, { input: { ...input, entityId: entity.id, templateId: template.id } })
    if (isFailure(created)) throw unfit(created)
    const { id } = created
    const questions = sections.parse(created.sections).flatMap((section) => section.questions)
    const chosen = answers.flatMap((option, index) => {
      const question = questions[index]
      if (!question) throw new Error(`The demo data answers a question that "${templateSourcedId}" does not ask.`)
      return option === null ? [] : [{ questionId: question.id, optionKey: question.options[option]?.key ?? 'not there' }]
    })
    if (chosen.length > 0) expectDone(await answerAssessmentQuestions(services, { id, answers: chosen }))
    for (const update of updates) expectDone(await updateAssessment(services, { id, input: update }))
  }
}

export async function updateRecords(services: ServiceContext, updates: Activity['recordUpdates']): Promise<void> {
  const { id: organisationId } = services.viewer.organisation
  for (const { sourcedId: key, ...input } of updates) {
    const { id } = await services.store.assessmentRecord.findFirstOrThrow({ where: { organisationId, sourcedId: key } })
    expectDone(await updateAssessmentRecord(services, { id, input }))
  }
}

export async function putResults(services: ServiceContext, results: Activity['results']): Promise<void> {
  for (const { sourcedId: key, ...input } of results) expectDone(await putAssessmentResult(services, { sourcedId: key, input }))
}

/** @throws Error when a service has refused something of the demo data. */
function expectDone(answer: object): void {
  if (isFailure(answer)) throw unfit(answer)
}

function unfit(failure: object): Error {
  return new Error(`The demo data does not fit the gateway: ${JSON.stringify(failure)}`)
}
