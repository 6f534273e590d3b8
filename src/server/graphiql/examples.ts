import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { Kind, parse } from 'graphql'
import type { Logger } from 'pino'
import { sections } from '../../assessments/rules.js'
import type { PrismaClient } from '../../generated/prisma/client.js'
import { hashOf } from '../../organisations/credentials.js'
import { scoreScaleValues } from '../../results/rules.js'

/** The folder operations/, which is at another relative path when this file runs from dist/. */
const operationsDirectory = [new URL('../../../operations/', import.meta.url), new URL('../../../../operations/', import.meta.url)].find(existsSync)

/** A document of operations/, with variables that it can be run with unless it has none. */
export interface Example {
  name: string
  query: string
  variables: object | undefined
}

/**
 * The examples in the order of their file names. Their variables name rows of the demo key's organisation. Without a demo key they hold
 * texts that say what to put there.
 */
export async function findExamples(db: PrismaClient, demoKey: string | undefined, log: Logger): Promise<Example[]> {
  if (!operationsDirectory) throw new Error('The folder operations/ with the examples is missing.')
  const names = (await readdir(operationsDirectory)).filter((name) => name.endsWith('.graphql')).sort()
  const documents = await Promise.all(names.map((name) => readFile(new URL(name, operationsDirectory), 'utf8')))
  const variables = exampleVariables(await findRows(db, demoKey, log))
  return documents.map((query) => {
    const name = nameOf(query)
    return { name, query, variables: variables[name] }
  })
}

function nameOf(query: string): string {
  const [operation] = parse(query).definitions
  if (operation?.kind !== Kind.OPERATION_DEFINITION || !operation.name) throw new Error(`This example has no name: ${query}`)
  return operation.name.value
}

/** The variables of each example by the name of its operation. Operations without variables are left out. */
function exampleVariables(rows: Partial<Rows>): Record<string, object> {
  const [updated, answered = updated] = rows.open ?? []
  const { pair, record, lineItem } = rows
  const today = `${new Date().toISOString().slice(0, 10)}T00:00:00.000Z`
  return {
    Assessments: {
      first: 5,
      after: null,
      filter: { status: ['DRAFT', 'ANALYZING', 'ACTION_REQUIRED', 'COMPLETE'], search: '' },
      orderBy: [{ field: 'UPDATED_AT', direction: 'DESC' }],
    },
    Assessment: { id: rows.complete?.id ?? updated?.id ?? 'an id from Assessments' },
    WhatToAssess: { search: '', country: null },
    CreateAssessment: {
      input: {
        entityId: pair?.entityId ?? 'the id of an entity from WhatToAssess',
        templateId: pair?.templateId ?? 'the id of a template from WhatToAssess',
      },
    },
    UpdateAssessment: {
      id: updated?.id ?? 'an id from Assessments',
      expectedVersion: updated?.version ?? 1,
      input: { status: 'ACTION_REQUIRED', progress: 60 },
    },
    // From version 0 on, so that the subscription shows the past changes at once.
    Watch: { id: updated?.id ?? 'an id from Assessments', sinceVersion: 0 },
    AnswerQuestions: {
      id: answered?.id ?? 'an id from Assessments',
      expectedVersion: answered?.version ?? 1,
      answers: answered?.answers ?? [{ questionId: 'the id of a question from Assessment', optionKey: 'the key of one of its options' }],
    },
    Refresh: { assessmentIds: [], expectedVersions: [] },
    Records: {
      first: 10,
      filter: { status: ['PENDING', 'PASSED', 'FAILED'] },
      orderBy: [{ field: 'EXPIRES_AT', direction: 'ASC' }],
    },
    UpdateRecord: {
      id: record?.id ?? 'an id from Records',
      expectedVersion: record?.version ?? 1,
      input: { status: 'PASSED', assessmentDate: today, assessorId: rows.assessor?.id ?? null },
    },
    Gradebook: {
      search: '',
      filter: { status: ['ACTIVE'] },
      orderBy: [{ field: 'DATE_LAST_MODIFIED', direction: 'DESC' }],
    },
    PutResult: {
      sourcedId: 'my-first-result',
      expectedVersion: null,
      input: {
        status: 'ACTIVE',
        assessmentLineItemSourcedId: lineItem?.sourcedId ?? 'the sourcedId of a line item from Gradebook',
        studentSourcedId: rows.student?.sourcedId ?? 'the sourcedId of a student from Gradebook',
        scoreDate: today,
        scoreStatus: 'FULLY_GRADED',
        score: lineItem?.score ?? null,
        textScore: lineItem?.textScore ?? null,
        comment: 'Written in GraphiQL.',
      },
    },
  }
}

type Rows = Awaited<ReturnType<typeof findRowsOf>>

async function findRows(db: PrismaClient, demoKey: string | undefined, log: Logger): Promise<Partial<Rows>> {
  if (demoKey === undefined) return {}
  try {
    const key = await db.apiKey.findUnique({ where: { hash: hashOf(demoKey) } })
    return key ? await findRowsOf(db, key.organisationId) : {}
  } catch (error) {
    log.warn({ err: error }, 'the examples of GraphiQL name no rows: the database does not answer')
    return {}
  }
}

const isOpen = { status: { not: 'COMPLETE' }, workflowState: 'ACTIVE' } as const

async function findRowsOf(db: PrismaClient, organisationId: string) {
  const [open, complete, pair, record, assessor, lineItem, student] = await Promise.all([
    db.assessment.findMany({ where: { organisationId, ...isOpen }, orderBy: { oid: 'asc' }, take: 2 }),
    db.assessment.findFirst({ where: { organisationId, status: 'COMPLETE' }, orderBy: { oid: 'asc' }, select: { id: true } }),
    findFreePair(db, organisationId),
    db.assessmentRecord.findFirst({
      where: { organisationId },
      orderBy: [{ status: 'asc' }, { assessmentDefinition: { validityDays: { sort: 'desc', nulls: 'last' } } }, { id: 'asc' }],
    }),
    db.user.findFirst({ where: { organisationId }, orderBy: { assessedRecords: { _count: 'desc' } } }),
    db.assessmentLineItem.findFirst({
      where: { organisationId },
      include: { scoreScale: true },
      orderBy: [{ scoreScaleId: { sort: 'asc', nulls: 'last' } }, { id: 'asc' }],
    }),
    db.user.findFirst({ where: { organisationId, sourcedId: { not: null } }, orderBy: { results: { _count: 'desc' } } }),
  ])
  return {
    open: open.map(({ id, version, sections: stored }) => ({
      id,
      version,
      answers: sections
        .parse(stored)
        .flatMap(({ questions }) => questions)
        .slice(0, 2)
        .map((question) => ({ questionId: question.id, optionKey: question.options[0]?.key ?? null })),
    })),
    complete,
    pair,
    record,
    assessor,
    lineItem: lineItem && {
      sourcedId: lineItem.sourcedId,
      score: lineItem.resultValueMax ?? lineItem.resultValueMin ?? 80,
      textScore: lineItem.scoreScale && (scoreScaleValues.parse(lineItem.scoreScale.values)[0]?.itemValueLHS ?? null),
    },
    student,
  }
}

/**
 * An entity and a template for createAssessment to succeed with. The template already has an assessment that is ACTIVE, so its question
 * pools are large enough; the entity has no open assessment of the template's type.
 */
async function findFreePair(db: PrismaClient, organisationId: string): Promise<{ entityId: string; templateId: string } | null> {
  const templates = await db.assessmentTemplate.findMany({
    where: { organisationId, assessments: { some: { workflowState: 'ACTIVE' } } },
    orderBy: { id: 'asc' },
    take: 10,
  })
  for (const template of templates) {
    const entity = await db.entity.findFirst({
      where: { organisationId, assessments: { none: { templateType: template.type, ...isOpen } } },
      orderBy: { id: 'asc' },
    })
    if (entity) return { entityId: entity.id, templateId: template.id }
  }
  return null
}
