// Mercurius as its documentation makes it fast: graphql-jit from the second run of a document on,
// and loaders, with SQL written by hand and prepared.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { buildFederationSchema } from '@mercuriusjs/federation'
import DataLoader from 'dataloader'
import Fastify from 'fastify'
import { GraphQLScalarType, isScalarType } from 'graphql'
import { mercurius, type MercuriusContext } from 'mercurius'
import pg from 'pg'
import { announce, DATABASE_URL, ORGANISATION_ID, POOL_SIZE } from './environment.js'

const pool = new pg.Pool({ connectionString: DATABASE_URL, max: POOL_SIZE })

interface Row {
  id: string
  name: string
  version: number
  entityId: string
  templateId: string
}

const COLUMNS = `"id", "oid", "version", "name", "companyName", "companyType", "country", "status", "intakeMode", "progress",
  "overallRiskScore", "createdAt", "updatedAt", "entityId", "templateId"`
const BY_IDS = `SELECT ${COLUMNS} FROM "Assessment" WHERE "organisationId" = $1 AND "id" = ANY($2::uuid[])`
const SECTIONS = `SELECT "id", "sections" FROM "Assessment" WHERE "organisationId" = $1 AND "id" = ANY($2::uuid[])`
const ENTITIES = `SELECT "id", "name", "country" FROM "Entity" WHERE "organisationId" = $1 AND "id" = ANY($2::uuid[])`
const TEMPLATES = `SELECT "id", "name", "type" FROM "AssessmentTemplate" WHERE "organisationId" = $1 AND "id" = ANY($2::uuid[])`
const SET_PROGRESS = `
  UPDATE "Assessment" SET "progress" = $4, "version" = "version" + 1, "changedBy" = 'bench:mercurius'
  WHERE "organisationId" = $1 AND "id" = $2 AND "version" = $3 RETURNING ${COLUMNS}`
const columns = { CREATED_AT: 'createdAt', NAME: 'name' } as const

interface ListArguments {
  first: number
  after?: string | null
  filter?: { status?: string[] }
  orderBy?: { field: keyof typeof columns; direction: 'ASC' | 'DESC' }[]
}

async function select<Found extends pg.QueryResultRow>(name: string, text: string, ...values: unknown[]): Promise<Found[]> {
  const { rows } = await pool.query<Found>({ name, text, values: [ORGANISATION_ID, ...values] })
  return rows
}

async function list({ first, after, filter, orderBy }: ListArguments) {
  const { field, direction } = orderBy?.[0] ?? { field: 'CREATED_AT', direction: 'DESC' }
  const column = columns[field]
  const status = filter?.status
  // The organisation is $1; a statement has only the conditions that it needs, or no index would serve it.
  const filters = status ? ['"status" = ANY($2::"AssessmentStatus"[])'] : []
  const values: unknown[] = status ? [status] : []
  const behind = after ? [`("${column}", "id") ${direction === 'ASC' ? '>' : '<'} ($${values.length + 2}, $${values.length + 3}::uuid)`] : []
  const where = (conditions: string[]) => ['WHERE "organisationId" = $1', ...conditions].join(' AND ')
  const text = `SELECT ${COLUMNS} FROM "Assessment" ${where([...filters, ...behind])} ORDER BY "${column}" ${direction}, "id" ${direction} LIMIT ${first + 1}`
  const rows = await select<Row & { createdAt: Date }>(nameOf(text), text, ...values, ...(after ? cursor(after) : []))
  const nodes = rows.slice(0, first)
  const last = nodes.at(-1)
  return {
    nodes,
    pageInfo: {
      hasNextPage: rows.length > first,
      endCursor: last ? Buffer.from(JSON.stringify([last[column], last.id])).toString('base64url') : null,
    },
    async count() {
      const text = `SELECT count(*)::int AS "count" FROM "Assessment" ${where(filters)}`
      return (await select<{ count: number }>(nameOf(text), text, ...values))[0]?.count
    },
  }
}

/** PostgreSQL cuts names at 63 characters. */
function nameOf(text: string): string {
  return createHash('sha1').update(text).digest('base64url')
}

function cursor(text: string): unknown[] {
  const values: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  if (!Array.isArray(values) || values.length !== 2) throw new Error('This is no cursor.')
  return values
}

async function updateAssessment({ id, expectedVersion, input }: { id: string; expectedVersion: number; input: { progress: number } }) {
  const [assessment] = await select<Row>('update', SET_PROGRESS, id, expectedVersion, input.progress)
  if (assessment) return { __typename: 'UpdateAssessmentSuccess', assessment }
  const [current] = await select<Row>('by id', BY_IDS, [id])
  return { __typename: 'ConflictError', actualVersion: current?.version, current: current && { ...current, __typename: 'Assessment' } }
}

/** The rows of these ids, in their order. */
async function inOrder<Found extends { id: string }>(ids: string[], rows: Promise<Found[]>): Promise<(Found | null)[]> {
  const byId = new Map((await rows).map((row) => [row.id, row]))
  return ids.map((id) => byId.get(id) ?? null)
}

declare module 'mercurius' {
  interface MercuriusContext {
    assessments: DataLoader<string, Row | null>
  }
}

type Queries = { obj: Row }[]

const loaders = {
  Assessment: {
    entity(queries: Queries) {
      const ids = queries.map(({ obj }) => obj.entityId)
      return inOrder(ids, select<{ id: string }>('entities', ENTITIES, ids))
    },
    template(queries: Queries) {
      const ids = queries.map(({ obj }) => obj.templateId)
      return inOrder(ids, select<{ id: string }>('templates', TEMPLATES, ids))
    },
    async sections(queries: Queries) {
      const ids = queries.map(({ obj }) => obj.id)
      const rows = await inOrder(ids, select<{ id: string; sections: unknown }>('sections', SECTIONS, ids))
      return rows.map((row) => row?.sections)
    },
  },
}

const schema = buildFederationSchema(await readFile(new URL('peers.graphql', import.meta.url), 'utf8'))
const time = schema.getType('DateTime')
if (!isScalarType(time)) throw new Error('The schema has no DateTime.')
time.serialize = new GraphQLScalarType({
  name: 'DateTime',
  serialize: (value) => (value instanceof Date ? value.toISOString() : value),
}).serialize

const app = Fastify()
await app.register(mercurius, {
  schema,
  jit: 1,
  loaders,
  // Loaders serve fields; references are resolved one by one and need one of their own.
  context: () => ({ assessments: new DataLoader((ids: readonly string[]) => inOrder([...ids], select<Row>('by id', BY_IDS, ids))) }),
  resolvers: {
    Query: {
      assessment: async (_: unknown, { id }: { id: string }) => (await select<Row>('by id', BY_IDS, [id]))[0],
      assessments: (_: unknown, args: ListArguments) => list(args),
    },
    Mutation: { updateAssessment: (_: unknown, args: Parameters<typeof updateAssessment>[0]) => updateAssessment(args) },
    AssessmentConnection: { totalCount: ({ count }: Awaited<ReturnType<typeof list>>) => count() },
    Assessment: {
      __resolveReference: ({ id }: { id: string }, _: unknown, { assessments }: MercuriusContext) => assessments.load(id),
    },
  },
})
const address = await app.listen({ port: 0, host: '127.0.0.1' })
announce(`${address}/graphql`)
