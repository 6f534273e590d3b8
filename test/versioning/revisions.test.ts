// What the database itself holds of every version, whoever writes.
import { randomUUID } from 'node:crypto'
import { isObjectType } from 'graphql'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { Prisma } from '../../src/generated/prisma/client.js'
import { schema } from '../../src/server/schema.js'
import { everythingOf, operation } from '../documents.js'
import { ask, tellExchangesOfFailedTests } from '../exchanges.js'
import { db } from '../gateway.js'
import { anOrganisation, OPTIONS, type Story } from '../story.js'

tellExchangesOfFailedTests()

type Kind = 'Assessment' | 'AssessmentRecord' | 'AssessmentResult'

/** What no revision names: these are the version itself, or change with every one. */
const NEVER = ['__typename', 'version', 'updatedAt', 'dateLastModified', 'history']

describe('the first revision lists every field that is not null, and no other', () => {
  const rows: Record<Kind, ((org: Story) => Promise<{ id: string }>)[]> = {
    Assessment: [openAssessment, completeAssessment, assessmentInError, (org) => org.assessment()],
    AssessmentRecord: [(org) => org.record(), wholeRecord],
    AssessmentResult: [(org) => org.result({ score: null }), wholeResult],
  }
  for (const kind of ['Assessment', 'AssessmentRecord', 'AssessmentResult'] as const) {
    test(`of an ${kind}`, async () => {
      const seen = new Set<string>()
      for (const row of rows[kind]) {
        const org = await anOrganisation()
        const { id } = await row(org)
        const answer = await read(org, kind, id)
        const set = Object.keys(answer).filter((field) => !NEVER.includes(field) && answer[field] !== null)
        const history = z.object({ nodes: z.array(z.object({ version: z.number(), changedPaths: z.array(z.string()) })) }).parse(answer['history'])
        expect(history.nodes.map(({ version }) => version)).toEqual([1])
        expect([...(history.nodes[0]?.changedPaths ?? [])].sort()).toEqual(set.sort())
        for (const field of set) seen.add(field)
      }
      const fields = Object.keys(typeOf(kind).getFields()).filter((field) => !NEVER.includes(field))
      expect(new Set(fields), 'a field that none of these rows sets proves nothing').toEqual(seen)
    })
  }
})

describe('a change of any stored column is told by the path of the field that shows it', () => {
  test('of an Assessment', async () => {
    const org = await anOrganisation()
    const other = { entity: await org.entity(), template: await org.template(), user: await org.user() }
    const { id } = await completeAssessment(org)
    const before = await db.assessment.findUniqueOrThrow({ where: { id } })
    await everyColumn('Assessment', id, {
      oid: [Prisma.sql`"oid" = nextval(pg_get_serial_sequence('"Assessment"', 'oid'))`, ['oid']],
      name: [Prisma.sql`"name" = 'Other'`, ['name']],
      companyName: [Prisma.sql`"companyName" = NULL`, ['companyName']],
      companyType: [Prisma.sql`"companyType" = 'Other'`, ['companyType']],
      country: [Prisma.sql`"country" = 'Other'`, ['country']],
      intakeMode: [Prisma.sql`"intakeMode" = 'UPLOAD'`, ['intakeMode']],
      progress: [Prisma.sql`"progress" = 0.5`, ['progress']],
      overallRiskScore: [Prisma.sql`"overallRiskScore" = 24.9`, ['overallRiskScore']],
      overallRiskLevel: [Prisma.sql`"overallRiskScore" = 25, "overallRiskLevel" = 'MODERATE'`, ['overallRiskScore', 'overallRiskLevel']],
      status: [Prisma.sql`"status" = 'DRAFT', "overallRiskScore" = NULL, "overallRiskLevel" = NULL`, ['status', 'overallRiskScore', 'overallRiskLevel']],
      entityId: [Prisma.sql`"entityId" = ${other.entity.id}::uuid`, ['entity']],
      outcomeId: [Prisma.sql`"outcomeId" = NULL`, ['outcome']],
      templateId: [Prisma.sql`"templateId" = ${other.template.id}::uuid, "templateType" = ${other.template.type}`, ['template']],
      templateType: 'changes with templateId only',
      createdById: [Prisma.sql`"createdById" = ${other.user.id}::uuid`, ['createdBy']],
      workflowId: [Prisma.sql`"workflowId" = ${randomUUID()}::uuid`, ['workflow']],
      workflowStep: [Prisma.sql`"workflowStep" = 'other'`, ['workflow']],
      workflowState: [Prisma.sql`"workflowState" = 'CANCELLED'`, ['workflow']],
      workflowErrorType: [Prisma.sql`"workflowState" = 'ERROR', "workflowErrorType" = 'X', "workflowErrorMessage" = 'x'`, ['workflow']],
      workflowErrorMessage: [Prisma.sql`"workflowErrorMessage" = 'y'`, ['workflow']],
      workflowErrorStep: [Prisma.sql`"workflowErrorStep" = 'other'`, ['workflow']],
      workflowErrorDetails: [Prisma.sql`"workflowErrorDetails" = '{"a": 1}'`, ['workflow']],
      sections: [Prisma.sql`"sections" = ${JSON.stringify([section('b'), section(null)])}::jsonb`, ['sections.0.questions.0.answer']],
    })
    const after = await db.assessment.findUniqueOrThrow({ where: { id } })
    expect(after.createdAt).toEqual(before.createdAt)
  })

  test('of an AssessmentRecord', async () => {
    const org = await anOrganisation()
    const other = { user: await org.user(), template: await org.template(), folder: await org.folder() }
    const { id } = await wholeRecord(org)
    await everyColumn('AssessmentRecord', id, {
      sourcedId: [Prisma.sql`"sourcedId" = ${randomUUID()}`, []],
      assessmentDate: [Prisma.sql`"assessmentDate" = '2020-01-01T00:00:00Z'`, ['assessmentDate']],
      expiresAt: [Prisma.sql`"expiresAt" = '2999-01-01T00:00:00Z'`, ['expiresAt', 'isExpired']],
      status: [Prisma.sql`"status" = 'FAILED', "expiresAt" = NULL`, ['status', 'expiresAt']],
      userId: [Prisma.sql`"userId" = ${other.user.id}::uuid`, ['user']],
      assessmentDefinitionId: [Prisma.sql`"assessmentDefinitionId" = ${other.template.id}::uuid`, ['assessmentDefinition']],
      assessorId: [Prisma.sql`"assessorId" = NULL`, ['assessor']],
      folderId: [Prisma.sql`"folderId" = ${other.folder.id}::uuid`, ['folder']],
    })
  })

  test('of an AssessmentResult', async () => {
    const org = await anOrganisation()
    const other = { user: await org.user(), lineItem: await org.lineItem() }
    const { id } = await wholeResult(org)
    await everyColumn('AssessmentResult', id, {
      sourcedId: [Prisma.sql`"sourcedId" = ${randomUUID()}`, ['sourcedId']],
      status: [Prisma.sql`"status" = 'TOBEDELETED'`, ['status']],
      metadata: [Prisma.sql`"metadata" = '{"b": {"c": 2}}'`, ['metadata']],
      assessmentLineItemId: [Prisma.sql`"assessmentLineItemId" = ${other.lineItem.id}::uuid`, ['assessmentLineItem']],
      studentId: [Prisma.sql`"studentId" = ${other.user.id}::uuid`, ['student']],
      score: [Prisma.sql`"score" = 80.5`, ['score']],
      textScore: [Prisma.sql`"textScore" = NULL`, ['textScore']],
      scoreDate: [Prisma.sql`"scoreDate" = '2020-01-01T00:00:00Z'`, ['scoreDate']],
      scoreScaleId: [Prisma.sql`"scoreScaleId" = NULL`, ['scoreScale']],
      scorePercentile: [Prisma.sql`"scorePercentile" = 1`, ['scorePercentile']],
      scoreStatus: [Prisma.sql`"scoreStatus" = 'EXEMPT'`, ['scoreStatus']],
      comment: [Prisma.sql`"comment" = ''`, ['comment']],
      learningObjectiveSet: [Prisma.sql`"learningObjectiveSet" = '[]'`, ['learningObjectiveSet']],
      inProgress: [Prisma.sql`"inProgress" = NULL`, ['inProgress']],
      incomplete: [Prisma.sql`"incomplete" = true`, ['incomplete']],
      late: [Prisma.sql`"late" = false`, ['late']],
      missing: [Prisma.sql`"missing" = true`, ['missing']],
    })
  })

  test('of a question in an assessment, by its place', async () => {
    const org = await anOrganisation()
    const { id } = await openAssessment(org)
    const [first, second] = [section('a'), section(null)]
    const steps: [object[], string[]][] = [
      [[first, { ...second, questions: [question({ answerKey: 'none' })] }], ['sections.1.questions.0.answer']],
      [[first, { ...second, questions: [question({ answerKey: 'none', text: 'New' })] }], ['sections.1.questions.0.text']],
      [
        [first, { ...second, questions: [question({ answerKey: null, qid: 9, id: randomUUID(), topic: 'other', difficulty: 'HARD', revision: 7 })] }],
        ['id', 'qid', 'revision', 'text', 'topic', 'difficulty', 'answer'].map((field) => `sections.1.questions.0.${field}`),
      ],
    ]
    for (const [sections, paths] of steps) {
      await change('Assessment', id, Prisma.sql`"sections" = ${JSON.stringify(sections)}::jsonb`)
      expect((await latestPaths(id)).changedPaths).toEqual(paths)
    }
    // A chosen option that reads otherwise is another answer, though its key is the same.
    const relabelled = question({ answerKey: 'none', options: OPTIONS.map((option) => ({ ...option, label: `${option.label}!` })) })
    await change('Assessment', id, Prisma.sql`"sections" = ${JSON.stringify([first, { ...second, questions: [question({ answerKey: 'none' })] }])}::jsonb`)
    await change('Assessment', id, Prisma.sql`"sections" = ${JSON.stringify([first, { ...second, questions: [relabelled] }])}::jsonb`)
    expect((await latestPaths(id)).changedPaths).toEqual(['sections.1.questions.0.options', 'sections.1.questions.0.answer'])
  })
})

test('the changed questions of a section are found by work that grows with their number, and not with its square', async () => {
  const node = z.object({ 'Actual Rows': z.number(), 'Actual Loops': z.number(), get Plans() { return z.array(node).optional() } })
  /** How many rows the steps of PostgreSQL's plan give to each other. */
  const rowsOf = (plan: z.output<typeof node>): number =>
    plan['Actual Rows'] * plan['Actual Loops'] + (plan.Plans ?? []).reduce((sum, it) => sum + rowsOf(it), 0)
  const workFor = async (questions: number) => {
    const sections = (revision: number) => JSON.stringify([{ title: 'Risk', questions: Array.from({ length: questions }, (_, qid) => question({ qid, revision })) }])
    const explained = await db.$queryRaw`
      EXPLAIN (ANALYZE, FORMAT JSON) SELECT path FROM changed_section_paths(${sections(1)}::jsonb, ${sections(2)}::jsonb) AS path`
    const [row] = z.array(z.object({ 'QUERY PLAN': z.array(z.object({ Plan: node })) })).parse(explained)
    const plan = row?.['QUERY PLAN'][0]?.Plan ?? expect.fail('PostgreSQL has explained nothing.')
    expect(plan['Actual Rows']).toBe(questions)
    return rowsOf(plan)
  }
  const [few, many] = [await workFor(50), await workFor(500)]
  expect(many / few).toBeLessThan(11)
})

describe('the database refuses a writer that goes around the gate', () => {
  const rows: Record<Kind, (org: Story) => Promise<{ id: string }>> = {
    Assessment: (org) => org.assessment(),
    AssessmentRecord: (org) => org.record(),
    AssessmentResult: (org) => org.result(),
  }
  for (const kind of ['Assessment', 'AssessmentRecord', 'AssessmentResult'] as const) {
    test(`of an ${kind}`, async () => {
      const [org, other] = [await anOrganisation(), await anOrganisation()]
      const { id } = await rows[kind](org)
      const before = await stored(kind, id)
      for (const assignment of [
        Prisma.sql`"updatedAt" = now()`,
        Prisma.sql`"status" = "status"`,
        Prisma.sql`"version" = "version" + 2`,
        Prisma.sql`"version" = "version" - 1`,
        Prisma.sql`"version" = "version" + 1, "id" = ${randomUUID()}::uuid`,
        Prisma.sql`"version" = "version" + 1, "organisationId" = ${other.id}::uuid`,
      ]) {
        await expect(raw(kind, id, assignment), assignment.sql).rejects.toThrow(/23000|23503/)
        expect(await stored(kind, id)).toEqual(before)
      }
      await expect(db.$executeRaw`DELETE FROM ${table(kind)} WHERE "id" = ${id}::uuid`).rejects.toThrow('23503')
      expect(await stored(kind, id)).toEqual(before)
      await raw(kind, id, Prisma.sql`"version" = "version" + 1`)
      expect((await latestPaths(id)).changedPaths).toEqual([])
    })
  }

  test('a row that is born at another version than 1', async () => {
    const org = await anOrganisation()
    await expect(org.record({ version: 2 })).rejects.toThrow(/new row has version 1/)
    await expect(org.record({ version: 0 })).rejects.toThrow(/new row has version 1/)
    expect(await db.revision.count({ where: { organisationId: org.id } })).toBe(0)
  })

  test('two revisions of one version, or one of two rows', async () => {
    const org = await anOrganisation()
    const [{ id: assessmentId }, { id: assessmentRecordId }] = [await org.assessment(), await org.record()]
    const revision = { organisationId: org.id, changedPaths: [], actor: 'system:test', changedAt: new Date() }
    await expect(db.revision.create({ data: { ...revision, assessmentId, version: 1 } })).rejects.toThrow('Unique constraint')
    await expect(db.revision.create({ data: { ...revision, assessmentId, assessmentRecordId, version: 2 } })).rejects.toThrow('one_subject')
    await expect(db.revision.create({ data: { ...revision, version: 2 } })).rejects.toThrow('one_subject')
  })
})

/* ---- rows -------------------------------------------------------------------------------------- */

function question(data: object = {}): object {
  return { id: '00000000-0000-7000-8000-000000000001', qid: 1, revision: 1, text: 'How?', topic: 'risk', difficulty: 'EASY', options: OPTIONS, answerKey: null, ...data }
}

/** A section of one question whose first option is called `a` or `b`, if any is chosen. */
function section(chosen: 'a' | 'b' | null): object {
  return { title: 'Risk', questions: [question({ answerKey: chosen && { a: 'none', b: 'high' }[chosen] })] }
}

async function assessmentData(org: Story): Promise<Prisma.AssessmentUncheckedCreateInput> {
  const template = await org.template()
  return {
    organisationId: org.id,
    name: 'Check',
    entityId: (await org.entity()).id,
    templateId: template.id,
    templateType: template.type,
    workflowState: 'ACTIVE',
    workflowStep: 'collect',
    sections: [section('a'), section(null)],
    changedBy: 'system:test',
  }
}

async function openAssessment(org: Story) {
  return db.assessment.create({ data: await assessmentData(org) })
}

/** With every field set that an assessment without a workflow error can have. */
async function completeAssessment(org: Story) {
  const data = await assessmentData(org)
  const outcome = await db.outcome.findFirstOrThrow({ where: { templateId: data.templateId } })
  return db.assessment.create({
    data: {
      ...data,
      companyName: 'Acme',
      companyType: 'Firm',
      country: 'Kenya',
      status: 'COMPLETE',
      overallRiskScore: 10,
      overallRiskLevel: 'LOW',
      createdById: (await org.user()).id,
      outcomeId: outcome.id,
    },
  })
}

/** As createAssessment makes it when the bank has no questions. */
async function assessmentInError(org: Story) {
  const template = await org.template({ sections: [{ title: 'Risk', topic: randomUUID(), difficulty: 'HARD', questionCount: 1 }] })
  return org.assessment({ templateId: template.id })
}

async function wholeRecord(org: Story) {
  return org.record({
    status: 'PASSED',
    assessmentDate: new Date('2019-01-01T00:00:00Z'),
    expiresAt: new Date('2020-01-01T00:00:00Z'),
    assessorId: (await org.user()).id,
    folderId: (await org.folder()).id,
  })
}

async function wholeResult(org: Story) {
  const { sourcedId } = await org.scale()
  return org.result({
    metadata: { a: 1 },
    textScore: 'A',
    scoreScaleSourcedId: sourcedId,
    scorePercentile: 0,
    comment: 'x',
    learningObjectiveSet: [{ source: 'local', learningObjectiveResults: [{ learningObjectiveId: 'o' }] }],
    inProgress: false,
    incomplete: false,
    late: true,
    missing: false,
  })
}

/* ---- reading ----------------------------------------------------------------------------------- */

function typeOf(kind: Kind) {
  const type = schema.getType(kind)
  if (!isObjectType(type)) throw new Error(`${kind} is no type.`)
  return type
}

async function read(org: Story, kind: Kind, id: string): Promise<Record<string, unknown>> {
  const field = `${kind.charAt(0).toLowerCase()}${kind.slice(1)}`
  const sourcedId = kind === 'AssessmentResult' ? (await db.assessmentResult.findUniqueOrThrow({ where: { id } })).sourcedId : undefined
  const { data, errors } = await ask(org.key, operation('Query', field, everythingOf(typeOf(kind), 1)), { id, sourcedId })
  expect(errors).toBeUndefined()
  return z.record(z.string(), z.unknown()).parse(data?.[field])
}

function table(kind: Kind) {
  return Prisma.raw(`"${kind}"`)
}

function stored(kind: Kind, id: string) {
  return db.$queryRaw`SELECT t.*, (SELECT count(*) FROM "Revision" r WHERE t."id" IN (r."assessmentId", r."assessmentRecordId", r."assessmentResultId")) AS "revisions" FROM ${table(kind)} t WHERE t."id" = ${id}::uuid`
}

function latestPaths(id: string) {
  return db.revision.findFirstOrThrow({
    where: { OR: [{ assessmentId: id }, { assessmentRecordId: id }, { assessmentResultId: id }] },
    orderBy: { version: 'desc' },
  })
}

/* ---- writing around the gate ------------------------------------------------------------------- */

function raw(kind: Kind, id: string, assignment: Prisma.Sql): Promise<number> {
  return db.$executeRaw`UPDATE ${table(kind)} SET ${assignment} WHERE "id" = ${id}::uuid`
}

/** Writes as the gate does, but whatever it is told. */
async function change(kind: Kind, id: string, assignment: Prisma.Sql): Promise<void> {
  expect(await raw(kind, id, Prisma.sql`${assignment}, "version" = "version" + 1, "changedBy" = 'system:test'`)).toBe(1)
}

/** Columns that are the version itself or never change. */
const STAMP = ['id', 'organisationId', 'version', 'createdAt', 'updatedAt', 'changedBy', 'changedByRequest']

/** Changes every column of a table in turn and compares the paths of the revision that it leaves. */
async function everyColumn(kind: Kind, id: string, changes: Record<string, [Prisma.Sql, string[]] | string>): Promise<void> {
  const columns = await db.$queryRaw<{ name: string }[]>`
    SELECT column_name AS name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = ${kind}`
  expect(new Set([...Object.keys(changes), ...STAMP])).toEqual(new Set(columns.map(({ name }) => name)))
  for (const [column, expected] of Object.entries(changes)) {
    if (typeof expected === 'string') continue
    await change(kind, id, expected[0])
    expect({ column, paths: (await latestPaths(id)).changedPaths }).toEqual({ column, paths: expected[1] })
  }
  await change(kind, id, Prisma.sql`"createdAt" = '2000-01-01T00:00:00Z'`)
  expect((await latestPaths(id)).changedPaths).toEqual([])
}
