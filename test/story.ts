// Tells what a test needs: `const org = await anOrganisation()`, then `org.entity()`, `org.template()`, ...
// Each story is an organisation of its own, so that tests share a database and run in any order.
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Prisma } from '../src/generated/prisma/client.js'
import { createKey } from '../src/organisations/service.js'
import { isFailure } from '../src/domain/failures.js'
import { type Scope, scopes as allScopes } from '../src/domain/scopes.js'
import { type Answer, dataOf, db, request } from './gateway.js'

export const OPTIONS = [
  { key: 'none', label: 'No risk', riskScore: 0 },
  { key: 'some', label: 'Some risk', riskScore: 40 },
  { key: 'high', label: 'High risk', riskScore: 90 },
]

const created = z.object({
  createAssessment: z.object({
    assessment: z.object({
      id: z.string(),
      oid: z.number(),
      version: z.number(),
      sections: z.array(z.object({ questions: z.array(z.object({ id: z.string(), qid: z.number() })) })),
    }),
  }),
})

/** Makes an organisation with a key, of all scopes unless told otherwise. */
export async function anOrganisation(scopes: readonly Scope[] = allScopes): Promise<Story> {
  const { id } = await db.organisation.create({ data: { name: `Organisation ${randomUUID()}` } })
  return new Story(id, await keyFor(id, scopes))
}

async function keyFor(organisationId: string, scopes: readonly Scope[], subject?: string): Promise<string> {
  const key = await createKey(db, { organisationId, scopes: [...scopes], subject })
  if (isFailure(key)) throw new Error(key.message)
  return key.key
}

export class Story {
  constructor(
    readonly id: string,
    readonly key: string,
  ) {}

  /** Another key of the same organisation. */
  keyWith(scopes: readonly Scope[], subject?: string): Promise<string> {
    return keyFor(this.id, scopes, subject)
  }

  request(query: string, variables?: object): Promise<Answer> {
    return request(this.key, query, variables)
  }

  dataOf<Schema extends z.ZodType>(schema: Schema, query: string, variables?: object): Promise<z.output<Schema>> {
    return dataOf(schema, this.key, query, variables)
  }

  user(data: Partial<Prisma.UserUncheckedCreateInput> = {}) {
    return db.user.create({ data: { name: 'Somebody', sourcedId: randomUUID(), ...data, organisationId: this.id } })
  }

  entity(data: Partial<Prisma.EntityUncheckedCreateInput> = {}) {
    return db.entity.create({
      data: { name: 'Acme Coffee', companyType: 'Cooperative', country: 'Kenya', sourcedId: randomUUID(), ...data, organisationId: this.id },
    })
  }

  question(data: Partial<Prisma.QuestionUncheckedCreateInput> = {}) {
    return db.question.create({
      data: { text: 'How risky?', topic: 'risk', difficulty: 'EASY', options: OPTIONS, sourcedId: randomUUID(), ...data, organisationId: this.id },
    })
  }

  /** With outcomes "Open" (the first), "Fine" (LOW) and "Bad" (CRITICAL), and one section of two easy questions on "risk". */
  template(data: Partial<Omit<Prisma.AssessmentTemplateUncheckedCreateInput, 'outcomes'>> = {}) {
    return db.assessmentTemplate.create({
      data: {
        name: 'Supplier check',
        type: randomUUID(),
        sections: [{ title: 'Risk', topic: 'risk', difficulty: 'EASY', questionCount: 2 }],
        workflowSteps: ['collect', 'review'],
        sourcedId: randomUUID(),
        ...data,
        organisationId: this.id,
        outcomes: {
          create: [
            { name: 'Open', position: 0 },
            { name: 'Fine', position: 1, riskLevel: 'LOW' },
            { name: 'Bad', position: 2, riskLevel: 'CRITICAL' },
          ],
        },
      },
      include: { outcomes: { orderBy: { position: 'asc' } } },
    })
  }

  /** An open assessment at version 1, of a new entity unless one is given, with two questions. */
  async assessment({ entityId, templateId, name }: { entityId?: string; templateId?: string; name?: string } = {}) {
    if (!templateId) {
      await this.question()
      await this.question()
    }
    const input = {
      entityId: entityId ?? (await this.entity()).id,
      templateId: templateId ?? (await this.template()).id,
      name: name ?? null,
    }
    const { createAssessment } = await this.dataOf(
      created,
      `mutation ($input: CreateAssessmentInput!) {
        createAssessment(input: $input) {
          ... on CreateAssessmentSuccess { assessment { id oid version sections { questions { id qid } } } }
        }
      }`,
      { input },
    )
    return { ...createAssessment.assessment, ...input }
  }

  folder(data: Partial<Prisma.FolderUncheckedCreateInput> = {}) {
    return db.folder.create({ data: { name: 'Certificates', sourcedId: randomUUID(), ...data, organisationId: this.id } })
  }

  /** A PENDING record of a new user against a new definition that is valid for 365 days. */
  async record(data: Partial<Prisma.AssessmentRecordUncheckedCreateInput> = {}) {
    return db.assessmentRecord.create({
      data: {
        status: 'PENDING',
        sourcedId: randomUUID(),
        userId: data.userId ?? (await this.user()).id,
        assessmentDefinitionId: data.assessmentDefinitionId ?? (await this.template({ validityDays: 365 })).id,
        changedBy: 'system:test',
        ...data,
        organisationId: this.id,
      },
    })
  }

  scale(data: Partial<Prisma.ScoreScaleUncheckedCreateInput> = {}) {
    const values = [
      { itemValueLHS: 'A', itemValueRHS: '90-100' },
      { itemValueLHS: 'B', itemValueRHS: '0-89' },
    ]
    return db.scoreScale.create({
      data: { title: 'Letters', type: 'letter', values, sourcedId: randomUUID(), ...data, organisationId: this.id },
    })
  }

  /** Takes scores from 0 to 100. */
  lineItem(data: Partial<Prisma.AssessmentLineItemUncheckedCreateInput> = {}) {
    return db.assessmentLineItem.create({
      data: { title: 'Midterm', resultValueMin: 0, resultValueMax: 100, sourcedId: randomUUID(), ...data, organisationId: this.id },
    })
  }

  /** The input of a put, on a new line item by a new student unless given. */
  async resultInput(data: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    return {
      status: 'ACTIVE',
      assessmentLineItemSourcedId: data['assessmentLineItemSourcedId'] ?? (await this.lineItem()).sourcedId,
      studentSourcedId: data['studentSourcedId'] ?? (await this.user()).sourcedId,
      scoreDate: '2026-03-04T10:30:00.000Z',
      scoreStatus: 'FULLY_GRADED',
      score: 80,
      ...data,
    }
  }

  /** A result at version 1. */
  async result(data: Record<string, unknown> = {}, sourcedId: string = randomUUID()) {
    const { putAssessmentResult } = await this.dataOf(
      z.object({ putAssessmentResult: z.object({ assessmentResult: z.object({ id: z.string(), sourcedId: z.string(), version: z.number() }) }) }),
      `mutation ($sourcedId: ID!, $input: PutAssessmentResultInput!) {
        putAssessmentResult(sourcedId: $sourcedId, input: $input) {
          ... on PutAssessmentResultSuccess { assessmentResult { id sourcedId version } }
        }
      }`,
      { sourcedId, input: await this.resultInput(data) },
    )
    return putAssessmentResult.assessmentResult
  }
}
