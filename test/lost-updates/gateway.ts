// The real server as a target: `dist/src/main.js`, which `npm run build` makes, on a database of its own.
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { openDatabase } from '../../src/database/client.js'
import type { Assessment, AssessmentRecord, AssessmentResult, Prisma, PrismaClient } from '../../src/generated/prisma/client.js'
import { migrate } from '../../src/database/migrations.js'
import { createKey, createOrganisation } from '../../src/organisations/service.js'
import { isFailure } from '../../src/domain/failures.js'
import { scopes } from '../../src/domain/scopes.js'
import type { Target } from './driver.js'
import type { FinalRow, Observation, Outcome } from './history.js'
import { dateOf, DIGITS, type Kind, type KindName, kinds, numberOf } from './kinds.js'
import { post } from './post.js'
import { RestartableServer } from './server.js'

/** A few connections for many clients, so that they always wait for one. */
const POOL_SIZE = 4
const APPLICATION = 'assessment-gateway'
/** The first and the last id that there can be. */
const FIRST_ID = '00000000-0000-4000-8000-000000000000'
const LAST_ID = 'ffffffff-ffff-4fff-bfff-ffffffffffff'

interface Place {
  id: string
  kind: Kind
}

/** Starts it on an empty database with two rows for each mutation; the results are not there yet. */
export async function startGatewayTarget(url: string, clients: number): Promise<Target> {
  const database = await openDatabase({ url, poolSize: 2 })
  const { client: db } = database
  await migrate(database.adapter)
  const organisation = await createOrganisation(db, 'Lost updates')
  if (isFailure(organisation)) throw new Error(organisation.message)
  const keys = await Promise.all(Array.from({ length: clients + 1 }, () => newKey(db, organisation.id)))
  const keyOf = (client: number) => keys[client] ?? keys[0]
  const places = new Map<string, Place>(
    Object.entries(await addRows(db, organisation.id)).map(([row, { id, kind }]) => [row, { id, kind: kinds[kind] }]),
  )
  const placeOf = (row: string) => {
    const place = places.get(row)
    if (!place) throw new Error(`There is no row ${row}.`)
    return place
  }
  const env = { DATABASE_URL: url, DATABASE_POOL_SIZE: `${POOL_SIZE}`, PORT: '0', NODE_ENV: 'production', LOG_LEVEL: 'error' }
  const server = new RestartableServer(['dist/src/main.js'], env)
  await server.start()
  const send = (client: number, query: string, variables: object) => {
    const key = keyOf(client)
    return post(server.url, { apikey: key?.key ?? '' }, { query, variables })
  }
  return {
    rows: [...places.keys()],
    server,
    database: {
      url,
      application: APPLICATION,
      revisions: '"Revision"',
      tables: ['"Assessment"', '"AssessmentRecord"', '"AssessmentResult"'],
      batch: { table: '"Assessment"', first: FIRST_ID, last: LAST_ID, lockedBy: 'FOR UPDATE' },
    },
    actorOf: (client) => `key:${keyOf(client)?.id ?? ''}`,
    async write(client, row, expectedVersion, value) {
      const { id, kind } = placeOf(row)
      const { status, body, why } = await send(client, kind.write, { id, expectedVersion, ...kind.variables(value) })
      return outcomeOf(kind, status, body, why)
    },
    async read(client, row) {
      const { id, kind } = placeOf(row)
      const { status, body } = await send(client, kind.read, { id })
      return isAnswer(status, body) ? observed(kind, reading.parse(body).data.row) : undefined
    },
    background: {
      actor: `key:${keyOf(clients)?.id ?? ''}`,
      async run(running) {
        while (!running.stopped) {
          await db.$executeRaw`UPDATE "Question" SET "revision" = "revision" + 1`.catch(() => {})
          const { status, body } = await send(clients, 'mutation { refreshAssessments { __typename } }', {})
          if (isAnswer(status, body)) refreshed.parse(body)
          await running.progress(10, 'between refreshes')
        }
      },
    },
    finals: () => finalsOf(db, places),
    async close() {
      await server.kill()
      await database.close()
    },
  }
}

async function newKey(db: PrismaClient, organisationId: string): Promise<{ id: string; key: string }> {
  const key = await createKey(db, { organisationId, scopes: [...scopes], subject: undefined })
  if (isFailure(key)) throw new Error(key.message)
  return key
}

/* ---- what the answers say ------------------------------------------------------------------------ */

const versioned = z.looseObject({ version: z.number() })
const reading = z.object({ data: z.object({ row: versioned.nullable() }) })
const writing = z.object({
  data: z.object({
    written: z.object({
      __typename: z.enum([
        'UpdateAssessmentSuccess',
        'AnswerAssessmentQuestionsSuccess',
        'UpdateAssessmentRecordSuccess',
        'PutAssessmentResultSuccess',
        'ConflictError',
      ]),
      row: versioned,
    }),
  }),
})
const refreshed = z.object({ data: z.object({ refreshAssessments: z.object({ __typename: z.literal('RefreshAssessmentsSuccess') }) }) })
const errorsOf = (codes: string[]) => z.object({ errors: z.array(z.object({ extensions: z.object({ code: z.enum(codes) }) })).min(1) })
/** Errors of the server's own, which say that nothing was written. */
const failed = errorsOf(['INTERNAL_SERVER_ERROR', 'SERVICE_UNAVAILABLE', 'TIMEOUT'])
/** Errors that say that something was written or may be. */
const uncertain = errorsOf(['OUTCOME_UNKNOWN', 'PARTIAL_FAILURE'])

/** Whether it has what was asked for. */
function isAnswer(status: number, body: unknown): boolean {
  return status !== 0 && !failed.safeParse(body).success && !uncertain.safeParse(body).success
}

/** @throws Error when it is an answer of a kind that no client has asked for. */
function outcomeOf(kind: Kind, status: number, body: unknown, why: string): Outcome {
  if (status === 0 || uncertain.safeParse(body).success) return { is: 'unknown', why: why || JSON.stringify(body) }
  if (failed.safeParse(body).success) return { is: 'failed' }
  const { written } = writing.parse(body).data
  const seen = { version: written.row.version, value: kind.value(written.row) }
  return written.__typename === 'ConflictError' ? { is: 'conflict', current: seen } : { is: 'acknowledged', ...seen }
}

function observed(kind: Kind, row: z.output<typeof versioned> | null): Observation {
  return row ? { version: row.version, value: kind.value(row) } : { version: 0, value: null }
}

/* ---- the rows ------------------------------------------------------------------------------------ */

const options = Array.from({ length: 10 }, (_, key) => ({ key: `${key}`, label: `${key}`, riskScore: key }))

/** Adds what is written, and two assessments around it by their ids that only a refresh changes. */
async function addRows(db: PrismaClient, organisationId: string): Promise<Record<string, { id: string; kind: KindName }>> {
  const user = await db.user.create({ data: { organisationId, name: 'Somebody', sourcedId: 'student' } })
  await db.assessmentLineItem.create({ data: { organisationId, title: 'Midterm', sourcedId: 'line item' } })
  const template = await db.assessmentTemplate.create({
    data: { organisationId, sourcedId: 'template', name: 'Check', type: 'check', sections: [], workflowSteps: ['collect'], validityDays: 1 },
  })
  const questions = await db.question.createManyAndReturn({
    data: Array.from({ length: DIGITS }, (_, index) => ({
      organisationId,
      sourcedId: `${index}`,
      text: `Digit ${index}`,
      topic: 'digits',
      difficulty: 'EASY' as const,
      options,
    })),
  })
  const sections = [
    {
      title: 'Digits',
      questions: questions.map(({ qid, revision, text, topic, difficulty }, index) => ({
        id: `${index}`,
        qid,
        revision,
        text,
        topic,
        difficulty,
        options,
        answerKey: '0',
      })),
    },
  ]
  const assessment = async (data: Partial<Prisma.AssessmentUncheckedCreateInput> = {}) => {
    const entity = await db.entity.create({ data: { organisationId, sourcedId: randomUUID(), name: 'Acme Coffee' } })
    return db.assessment.create({
      data: {
        organisationId,
        entityId: entity.id,
        templateId: template.id,
        templateType: template.type,
        name: '0',
        workflowState: 'ACTIVE',
        workflowStep: 'collect',
        sections,
        changedBy: 'system:test',
        ...data,
      },
    })
  }
  const record = (sourcedId: string) =>
    db.assessmentRecord.create({
      data: {
        organisationId,
        sourcedId,
        status: 'PASSED',
        userId: user.id,
        assessmentDefinitionId: template.id,
        assessmentDate: dateOf(0),
        changedBy: 'system:test',
      },
    })
  await assessment({ id: FIRST_ID })
  await assessment({ id: LAST_ID })
  return {
    'assessment 1': { kind: 'updateAssessment', id: (await assessment()).id },
    'assessment 2': { kind: 'updateAssessment', id: (await assessment()).id },
    'answers 1': { kind: 'answerAssessmentQuestions', id: (await assessment()).id },
    'answers 2': { kind: 'answerAssessmentQuestions', id: (await assessment()).id },
    'record 1': { kind: 'updateAssessmentRecord', id: (await record('1')).id },
    'record 2': { kind: 'updateAssessmentRecord', id: (await record('2')).id },
    'result 1': { kind: 'putAssessmentResult', id: 'result 1' },
    'result 2': { kind: 'putAssessmentResult', id: 'result 2' },
  }
}

const storedSections = z.tuple([z.object({ questions: z.array(z.object({ answerKey: z.string() })).length(DIGITS) })])

type Stored = Assessment | AssessmentRecord | AssessmentResult

function storedValue(kind: Kind, row: Stored): number {
  if ('comment' in row) return Number(row.comment)
  if ('assessmentDate' in row) return row.assessmentDate ? numberOf(row.assessmentDate) : Number.NaN
  if (kind === kinds.updateAssessment) return Number(row.name)
  return Number(storedSections.parse(row.sections)[0].questions.map(({ answerKey }) => answerKey).join(''))
}

/** Reads all from one moment. */
async function finalsOf(db: PrismaClient, places: Map<string, Place>): Promise<FinalRow[]> {
  const [assessments, records, results, revisions] = await db.$transaction(
    [db.assessment.findMany(), db.assessmentRecord.findMany(), db.assessmentResult.findMany(), db.revision.findMany()],
    { isolationLevel: 'RepeatableRead' },
  )
  return [...places].map(([row, { id, kind }]): FinalRow => {
    const own = [...assessments, ...records, ...results].find((it: Stored) => it.id === id || ('comment' in it && it.sourcedId === id))
    const subject = ({ assessmentId, assessmentRecordId, assessmentResultId }: (typeof revisions)[number]) =>
      assessmentId ?? assessmentRecordId ?? assessmentResultId
    return {
      row,
      first: kind === kinds.putAssessmentResult ? { version: 0, value: null } : { version: 1, value: 0 },
      last: own ? { version: own.version, value: storedValue(kind, own) } : { version: 0, value: null },
      revisions: own ? revisions.filter((it) => subject(it) === own.id).map(({ version, actor }) => ({ version, actor })) : [],
    }
  })
}
