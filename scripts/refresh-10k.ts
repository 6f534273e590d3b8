// How a refresh of a whole organisation does: 10,000 assessments of 20 questions against a bank of
// which a part was revised or deleted. Prints one line of JSON. Works on a database of its own on
// the PostgreSQL of DATABASE_URL, else on an embedded one in a temporary directory.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import pino from 'pino'
import { v7 as newId } from 'uuid'
import { z } from 'zod'
import { poolKey } from '../src/assessments/rules.js'
import { createAuthenticate } from '../src/server/authentication.js'
import { type DatabaseLocation, openDatabase } from '../src/database/client.js'
import type { PrismaClient } from '../src/generated/prisma/client.js'
import { migrate } from '../src/database/migrations.js'
import { createKey, createOrganisation } from '../src/organisations/service.js'
import { createServer } from '../src/server/server.js'
import { createStore } from '../src/sql-store/index.js'
import { readSettings } from '../src/settings.js'
import { isFailure } from '../src/domain/failures.js'

const ASSESSMENTS = 10_000
const SECTIONS = 4
const QUESTIONS_PER_SECTION = 5
const TOPICS = 10
const QUESTIONS_PER_POOL = 100
const CHUNK = 500
const DIFFICULTIES = ['EASY', 'MEDIUM', 'HARD'] as const
const OPTIONS = ['Never', 'Rarely', 'Often', 'Always'].map((label, index) => ({ key: `o${index}`, label, riskScore: index * 30 }))

const answer = z.object({
  data: z.object({
    refreshAssessments: z.object({ assessmentsUpdated: z.number(), details: z.array(z.object({ status: z.string() })) }),
  }),
})

const [, script = '', step, place = ''] = process.argv
if (step === 'prepare') await prepare(locationOf(place))
else await withDatabase(measure)

/** PostgreSQL when it is a URL, else a directory. */
function locationOf(urlOrDirectory: string): DatabaseLocation {
  return urlOrDirectory.includes('://') ? { url: urlOrDirectory, poolSize: 10 } : { dataDirectory: urlOrDirectory }
}

async function withDatabase(run: (place: string) => Promise<void>): Promise<void> {
  const server = process.env['DATABASE_URL']
  if (!server) {
    const directory = await mkdtemp(join(tmpdir(), 'refresh-10k-'))
    return run(directory).finally(() => rm(directory, { recursive: true }))
  }
  const name = `refresh_10k_${randomBytes(6).toString('hex')}`
  const url = new URL(server)
  url.pathname = `/${name}`
  await execute(server, `CREATE DATABASE ${name}`)
  await run(url.href).finally(() => execute(server, `DROP DATABASE ${name} WITH (FORCE)`))
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(sql).finally(() => client.end())
}

async function measure(at: string): Promise<void> {
  // In a process of its own, so that its memory is not counted.
  const child = spawn(process.execPath, [...process.execArgv, script, 'prepare', at], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  let key = ''
  for await (const chunk of child.stdout) key += String(chunk)
  await exited
  if (child.exitCode !== 0) throw new Error('The data could not be prepared.')

  const database = await openDatabase(locationOf(at))
  let statements = 0
  database.onQuery(() => (statements += 1))
  const gateway = createServer({
    store: createStore(database.client, database.statements),
    authenticate: createAuthenticate(database.statements, undefined),
    log: pino({ level: 'warn' }, pino.destination(2)),
    isReady: () => Promise.resolve(true),
    graphiql: false,
    limits: { ...readSettings({}).limits, refreshTimeoutMs: 600_000 },
    introspection: true,
    corsOrigins: [],
  })
  let peak = process.memoryUsage.rss()
  const sampler = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 20)
  const begin = performance.now()
  const response = await gateway.fetch('http://localhost/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', apikey: key },
    body: JSON.stringify({
      query: `mutation {
        refreshAssessments {
          ... on RefreshAssessmentsSuccess {
            assessmentsUpdated
            details {
              status totalQuestions questionsRefreshed refreshedQids deletedQuestionsReplaced deletedQuestionsNotReplaced
              replacements { oldQid newQid } replacementFailures { qid reason }
            }
          }
        }
      }`,
    }),
  })
  const body = await response.text()
  const seconds = (performance.now() - begin) / 1000
  clearInterval(sampler)
  peak = Math.max(peak, process.memoryUsage.rss())
  const { assessmentsUpdated, details } = answer.parse(JSON.parse(body)).data.refreshAssessments
  const figures = {
    database: database.embedded ? 'PGlite' : 'PostgreSQL',
    assessments: assessmentsUpdated,
    updated: details.filter(({ status }) => status === 'UPDATED').length,
    statements,
    seconds: Number(seconds.toFixed(2)),
    peakRssMiB: Math.round(peak / 2 ** 20),
  }
  await database.close()
  process.stdout.write(`${JSON.stringify(figures)}\n`)
}

/** Fills the database and prints a key for it. */
async function prepare(location: DatabaseLocation): Promise<void> {
  const database = await openDatabase(location)
  await migrate(database.adapter)
  const { client: db } = database
  const organisation = await createOrganisation(db, 'Refreshed')
  if (isFailure(organisation)) throw new Error(organisation.message)
  const key = await createKey(db, { organisationId: organisation.id, scopes: ['ASSESSMENTS_WRITE'], subject: undefined })
  if (isFailure(key)) throw new Error(key.message)
  await addAssessments(db, organisation.id, await addQuestions(db, organisation.id))
  await reviseBank(db)
  await database.close()
  process.stdout.write(key.key)
}

type Question = Awaited<ReturnType<typeof addQuestions>>[number]

async function addQuestions(db: PrismaClient, organisationId: string) {
  const pools = Array.from({ length: TOPICS }, (_, topic) => DIFFICULTIES.map((difficulty) => ({ topic: `topic ${topic}`, difficulty }))).flat()
  const data = pools.flatMap((pool) =>
    Array.from({ length: QUESTIONS_PER_POOL }, (_, index) => ({
      ...pool,
      organisationId,
      sourcedId: newId(),
      text: `How often does case ${index} of ${pool.topic} happen in your organisation, and who is told about it?`,
      options: OPTIONS,
    })),
  )
  return db.question.createManyAndReturn({ data, omit: { createdAt: true } })
}

async function addAssessments(db: PrismaClient, organisationId: string, questions: Question[]): Promise<void> {
  const pools = [...new Set(questions.map(poolKey))].map((key) => questions.filter((question) => poolKey(question) === key))
  const template = await db.assessmentTemplate.create({
    data: { organisationId, sourcedId: newId(), name: 'Check', type: 'check', sections: [], workflowSteps: ['collect'] },
  })
  for (let from = 0; from < ASSESSMENTS; from += CHUNK) {
    const numbers = Array.from({ length: CHUNK }, (_, index) => from + index)
    const entities = numbers.map((number) => ({ id: newId(), organisationId, sourcedId: newId(), name: `Entity ${number}` }))
    await db.entity.createMany({ data: entities })
    await db.assessment.createMany({
      data: entities.map(({ id, name }, index) => ({
        organisationId,
        entityId: id,
        templateId: template.id,
        templateType: template.type,
        name: `Check – ${name}`,
        companyName: name,
        workflowState: 'ACTIVE' as const,
        workflowStep: 'collect',
        sections: sectionsOf(pools, from + index),
        changedBy: 'system:refresh-10k',
      })),
    })
  }
}

/** Other questions for each assessment, half of them answered. */
function sectionsOf(pools: Question[][], number: number) {
  return Array.from({ length: SECTIONS }, (_, section) => {
    const pool = pools[(number + section) % pools.length] ?? []
    return {
      title: `Section ${section}`,
      questions: Array.from({ length: QUESTIONS_PER_SECTION }, (_, index) => {
        const question = pool[(number * 7 + index) % pool.length]
        if (!question) throw new Error('The pool is empty.')
        const { qid, revision, text, topic, difficulty, options } = question
        return { id: newId(), qid, revision, text, topic, difficulty, options, answerKey: index % 2 === 0 ? 'o1' : null }
      }),
    }
  })
}

/** A fifth of the bank is revised, a tenth deleted, and two pools are deleted but for a few questions. */
async function reviseBank(db: PrismaClient): Promise<void> {
  await db.$executeRaw`UPDATE "Question" SET "revision" = 2, "text" = "text" || ' (revised)' WHERE "qid" % 5 = 0`
  await db.$executeRaw`UPDATE "Question" SET "deleted" = true WHERE "qid" % 10 = 3`
  await db.$executeRaw`UPDATE "Question" SET "deleted" = true WHERE "topic" = 'topic 0' AND "difficulty" <> 'HARD' AND "qid" % 20 <> 0`
}
