// Imports the question bank and the templates.
import { z } from 'zod'
import type { ServiceContext } from '../domain/service-context.js'
import type { ValidationIssue } from '../domain/failures.js'
import { description, differs, type Imported, uniqueRows, upsertRows } from '../domain/import-rows.js'
import { name, sourcedId, text } from '../domain/validation.js'
import { visible } from './access.js'
import { difficulty, questionOptions, templateSections, TYPE_LENGTH } from './rules.js'

const question = z.strictObject({
  sourcedId,
  topic: name,
  difficulty,
  text: text({ min: 1, max: 10_000 }),
  options: questionOptions,
  deleted: z.boolean().default(false),
})

const outcome = z.strictObject({ name, riskLevel: z.enum(['LOW', 'MODERATE', 'HIGH', 'CRITICAL']).nullish() })

const template = z.strictObject({
  sourcedId,
  name,
  type: text({ min: 1, max: TYPE_LENGTH }),
  description: description.nullish(),
  validityDays: z.int().min(1).max(36_500).nullish(),
  sections: templateSections,
  workflowSteps: z.array(name).min(1).max(100),
  /** A new assessment has the first outcome. */
  outcomes: uniqueRows(outcome, ['name', 'riskLevel']),
})

/** The lists of an import file that this module imports. */
export const templateRows = {
  questions: uniqueRows(question).default([]),
  templates: uniqueRows(template).default([]),
}

export function importQuestions({ store, viewer }: ServiceContext, questions: z.output<typeof question>[]): Promise<Imported> {
  const rows = questions.map(({ sourcedId: key, ...columns }, index) => ({ index, sourcedId: key, columns }))
  return upsertRows('questions', rows, {
    find: (sourcedIds) => store.question.findMany({ where: { ...visible(viewer), sourcedId: { in: sourcedIds } } }),
    create: (data) => store.question.createMany({ data: data.map((row) => ({ ...row, organisationId: viewer.organisation.id })) }),
    update(stored, { deleted, ...content }) {
      // A new revision makes refreshAssessments renew the question. Deleting it does not: a deleted question is replaced instead.
      const revision = differs(stored, content) ? { revision: { increment: 1 } } : {}
      return store.question.update({ where: { id: stored.id }, data: { ...content, ...revision, deleted } })
    },
  })
}

/** Imports templates with their outcomes. `changedValidityIds` are the templates with other validityDays, whose records now expire at another time. */
export async function importTemplates(
  services: ServiceContext,
  templates: z.output<typeof template>[],
): Promise<Imported & { changedValidityIds: string[] }> {
  const { store, viewer } = services
  const organisationId = viewer.organisation.id
  const changedValidityIds: string[] = []
  const rows = templates.map(({ sourcedId: key, outcomes, ...columns }, index) => ({
    index,
    sourcedId: key,
    columns: {
      ...columns,
      description: columns.description ?? null,
      validityDays: columns.validityDays ?? null,
      outcomes: outcomes.map((it) => ({ name: it.name, riskLevel: it.riskLevel ?? null })),
    },
  }))
  const imported = await upsertRows('templates', rows, {
    async find(sourcedIds) {
      const stored = await store.assessmentTemplate.findMany({
        where: { ...visible(viewer), sourcedId: { in: sourcedIds } },
        include: { outcomes: { orderBy: [{ position: 'asc' }, { id: 'asc' }] } },
      })
      return stored.map(({ outcomes, ...row }) => ({
        ...row,
        stored: outcomes,
        outcomes: outcomes.map((it) => ({ name: it.name, riskLevel: it.riskLevel })),
      }))
    },
    async create(data) {
      const created = await store.assessmentTemplate.createManyAndReturn({
        data: data.map(({ outcomes: _, ...row }) => ({ ...row, organisationId })),
        select: { id: true, sourcedId: true },
      })
      const ids = new Map(created.map((row) => [row.sourcedId, row.id]))
      const outcomes = data.flatMap((row) =>
        row.outcomes.map((it, position) => ({ ...it, organisationId, position, templateId: ids.get(row.sourcedId) ?? '' })),
      )
      await store.outcome.createMany({ data: outcomes })
    },
    refuse: (stored, columns) => templateIssues(services, stored, columns),
    async update({ id, stored, validityDays }, { outcomes, ...data }) {
      if (data.validityDays !== validityDays) changedValidityIds.push(id)
      await store.assessmentTemplate.update({ where: { id }, data })
      await replaceOutcomes(services, id, stored, outcomes)
    },
  })
  return { ...imported, changedValidityIds }
}

interface Outcome {
  name: string
  riskLevel: 'LOW' | 'MODERATE' | 'HIGH' | 'CRITICAL' | null
}
type StoredOutcome = Outcome & { id: string; position: number }

/** The issues of a change to a template that its assessments do not allow: another type, or an outcome removed that one of them has. */
async function templateIssues(
  { store, viewer }: ServiceContext,
  template: { id: string; type: string; stored: StoredOutcome[] },
  { type, outcomes }: { type: string; outcomes: Outcome[] },
): Promise<ValidationIssue[]> {
  const issues: ValidationIssue[] = []
  const of = { ...visible(viewer), templateId: template.id }
  if (type !== template.type && (await store.assessment.findFirst({ where: of, select: { id: true } }))) {
    const message = `The type must stay "${template.type}", because there are assessments of this template.`
    issues.push({ path: ['type'], code: 'WRONG_STATE', message })
  }
  const removed = removedOutcomes(template.stored, outcomes).map(({ id }) => id)
  if (removed.length === 0) return issues
  const used = await store.outcome.findMany({ where: { id: { in: removed }, assessments: { some: of } }, orderBy: { position: 'asc' } })
  const gone = used.map((it): ValidationIssue => {
    const message = `The outcome "${it.name}" must stay listed, because there are assessments that have it.`
    return { path: ['outcomes'], code: 'WRONG_STATE', message }
  })
  return [...issues, ...gone]
}

function removedOutcomes(stored: StoredOutcome[], listed: Outcome[]): StoredOutcome[] {
  const names = new Set(listed.map((it) => it.name))
  return stored.filter((it) => !names.has(it.name))
}

/** Replaces the outcomes of a template by those of the file. Outcomes with the same name keep their ids. */
async function replaceOutcomes(
  { store, viewer }: ServiceContext,
  templateId: string,
  stored: StoredOutcome[],
  listed: Outcome[],
): Promise<void> {
  const of = { ...visible(viewer), templateId }
  const removed = removedOutcomes(stored, listed).map(({ id }) => id)
  if (removed.length > 0) await store.outcome.deleteMany({ where: { ...of, id: { in: removed } } })
  const storedByName = new Map(stored.map((it) => [it.name, it]))
  const placed = listed.map((it, position) => ({ ...it, position, before: storedByName.get(it.name) }))
  // Levels are unique in a template at every moment, so all that change are set to null first.
  const released = placed.flatMap(({ before, riskLevel }) => (before && before.riskLevel !== riskLevel ? [before.id] : []))
  if (released.length > 0) await store.outcome.updateMany({ where: { ...of, id: { in: released } }, data: { riskLevel: null } })
  for (const { before, position, riskLevel } of placed) {
    if (before && differs(before, { position, riskLevel })) {
      await store.outcome.update({ where: { id: before.id }, data: { position, riskLevel } })
    }
  }
  const added = placed.filter(({ before }) => !before).map(({ before: _, ...it }) => ({ ...it, ...of }))
  if (added.length > 0) await store.outcome.createMany({ data: added })
}
