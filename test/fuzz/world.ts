// Two organisations with something of everything, made anew for each run so that a failing one can be run again.
import { randomUUID } from 'node:crypto'
import { db } from '../gateway.js'
import type { Kind } from '../named-kinds.js'
import { anOrganisation, OPTIONS, type Story } from '../story.js'

/** Something of a world that an input names, before there is a world. */
export class Named {
  constructor(
    readonly kind: Kind,
    readonly index: number,
    readonly whose: 'ours' | 'theirs',
  ) {}
}

type Names = Record<Kind, string[]>

export interface World {
  ours: Story
  theirs: Story
  names: Record<Named['whose'], Names>
}

/** @param rows how many there are of each thing, 2 at least */
export async function aWorld(rows = 3): Promise<World> {
  const [ours, theirs] = await Promise.all([anOrganisation(), anOrganisation()])
  const [ourNames, theirNames] = await Promise.all([furnish(ours, rows), furnish(theirs, 2)])
  return { ours, theirs, names: { ours: ourNames, theirs: theirNames } }
}

/** The name as it is in one world. */
export function nameIn({ names }: World, { kind, index, whose }: Named): string {
  const all = names[whose][kind]
  return all[index % all.length] ?? ''
}

async function furnish({ id: organisationId }: Story, rows: number): Promise<Names> {
  const ids = () => Array.from({ length: rows }, () => randomUUID())
  const at = <Item>(list: readonly Item[], index: number): Item => {
    const item = list[index % list.length]
    if (item === undefined) throw new Error('The list is empty.')
    return item
  }
  const [user, entity, template, folder, scale, lineItem, assessment, record, result] = [ids(), ids(), ids(), ids(), ids(), ids(), ids(), ids(), ids()]
  await Promise.all([
    db.user.createMany({ data: user.map((id, i) => ({ id, organisationId, sourcedId: id, subject: `subject ${i}`, name: `User ${i}` })) }),
    db.entity.createMany({ data: entity.map((id, i) => ({ id, organisationId, sourcedId: id, name: `Entity ${i}`, country: 'Kenya' })) }),
    db.folder.createMany({ data: folder.map((id, i) => ({ id, organisationId, sourcedId: id, name: `Folder ${i}` })) }),
    db.assessmentTemplate.createMany({
      data: template.map((id, i) => ({
        id,
        organisationId,
        sourcedId: id,
        name: `Template ${i}`,
        type: `type ${i}`,
        validityDays: i === 0 ? null : 365 * i,
        // The bank has no questions for the last one.
        sections: [{ title: 'Risk', topic: i === rows - 1 ? 'unknown' : 'risk', difficulty: 'EASY', questionCount: 2 }],
        workflowSteps: ['collect', 'review'],
      })),
    }),
    db.scoreScale.createMany({
      data: scale.map((id) => ({
        id,
        organisationId,
        sourcedId: id,
        title: 'Letters',
        type: 'letter',
        values: [
          { itemValueLHS: 'A', itemValueRHS: '50-100' },
          { itemValueLHS: 'B', itemValueRHS: '0-49' },
        ],
      })),
    }),
  ])
  const questions = await db.question.createManyAndReturn({
    data: Array.from({ length: rows + 3 }, (_, i) => ({
      organisationId,
      sourcedId: randomUUID(),
      text: `How risky is ${i}?`,
      topic: 'risk',
      difficulty: 'EASY' as const,
      options: OPTIONS,
      revision: i === 1 ? 2 : 1,
      deleted: i === 0,
    })),
    select: { qid: true, text: true },
  })
  const outcome = template.map(() => randomUUID())
  await Promise.all([
    db.outcome.createMany({
      data: template.flatMap((templateId, i) => [
        { id: at(outcome, i), organisationId, templateId, name: 'Open', position: 0 },
        { organisationId, templateId, name: 'Bad', position: 1, riskLevel: 'CRITICAL' as const },
      ]),
    }),
    db.assessmentLineItem.createMany({
      data: lineItem.map((id, i) => ({
        id, organisationId, sourcedId: id, title: `Line item ${i}`,
        ...(i === 0 ? { resultValueMin: 0, resultValueMax: 100 } : {}),
        scoreScaleId: i === 1 ? at(scale, i) : null,
      })),
    }),
  ])
  const question: string[] = []
  const [assessments] = await Promise.all([
    db.assessment.createManyAndReturn({
      data: assessment.map((id, i) => ({
        id,
        organisationId,
        name: `Assessment ${i}`,
        entityId: at(entity, i),
        templateId: at(template, i),
        templateType: `type ${i}`,
        createdById: at(user, i),
        outcomeId: at(outcome, i),
        status: i === rows - 1 ? ('COMPLETE' as const) : ('DRAFT' as const),
        workflowState: 'ACTIVE' as const,
        workflowStep: 'collect',
        sections: [{
          title: 'Risk',
          // One was deleted from the bank since, one revised, one is as it was.
          questions: questions.slice(0, 3).map(({ qid, text }) => {
            const it = randomUUID()
            question.push(it)
            return { id: it, qid, revision: 1, text, topic: 'risk', difficulty: 'EASY', options: OPTIONS, answerKey: null }
          }),
        }],
        changedBy: 'system:test',
      })),
      select: { oid: true },
    }),
    db.assessmentRecord.createMany({
      data: record.map((id, i) => ({
        id, organisationId, sourcedId: id, status: 'PENDING' as const, userId: at(user, i), assessmentDefinitionId: at(template, i),
        assessorId: i === 0 ? null : at(user, i + 1), folderId: i === 0 ? null : at(folder, i), changedBy: 'system:test',
      })),
    }),
    db.assessmentResult.createMany({
      data: result.map((id, i) => ({
        id, organisationId, sourcedId: id, status: 'ACTIVE' as const, assessmentLineItemId: at(lineItem, i), studentId: at(user, i),
        score: i === 0 ? null : i, scoreDate: new Date('2026-03-04T10:30:00Z'), scoreStatus: 'SUBMITTED' as const,
        scoreScaleId: i === 0 ? at(scale, i) : null, metadata: i === 0 ? {} : { index: i }, changedBy: 'system:test',
      })),
    }),
  ])
  return {
    Organisation: [organisationId],
    User: user,
    Entity: entity,
    AssessmentTemplate: template,
    Outcome: outcome,
    Assessment: assessment,
    Folder: folder,
    AssessmentRecord: record,
    AssessmentLineItem: lineItem,
    ScoreScale: scale,
    AssessmentResult: result,
    AssessmentQuestion: question,
    oid: assessments.map(({ oid }) => String(oid)),
    userSourcedId: user,
    lineItemSourcedId: lineItem,
    scaleSourcedId: scale,
    // Two that are free, for puts that create.
    resultSourcedId: [...result, randomUUID(), randomUUID()],
  }
}
