// The limit: one prepared statement a request makes the JSON of the answer, and nothing else
// happens between the socket and the database.
import { createServer, type IncomingMessage } from 'node:http'
import pg from 'pg'
import { z } from 'zod'
import { announce, DATABASE_URL, ORGANISATION_ID, POOL_SIZE } from './environment.js'

const pool = new pg.Pool({ connectionString: DATABASE_URL, max: POOL_SIZE })

const time = (column: string) => `to_char("${column}" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

const BY_ID = `
  SELECT json_build_object('data', json_build_object('assessment', json_build_object(
    'id', "id", 'oid', "oid", 'version', "version", 'name', "name", 'companyName', "companyName", 'country', "country", 'status', "status",
    'intakeMode', "intakeMode", 'progress', "progress", 'overallRiskScore', "overallRiskScore", 'createdAt', ${time('createdAt')}, 'updatedAt', ${time('updatedAt')})))::text AS "json"
  FROM "Assessment" WHERE "organisationId" = $1 AND "id" = $2`

const WITH_QUESTIONS = `
  SELECT json_build_object('data', json_build_object('assessments', json_build_object('nodes', json_agg(json_build_object(
    'id', a."id", 'name', a."name", 'status', a."status",
    'template', json_build_object('id', t."id", 'name', t."name", 'type', t."type"),
    'entity', json_build_object('id', e."id", 'name', e."name", 'country', e."country"),
    'sections', (
      SELECT json_agg(json_build_object('title', s -> 'title', 'questions', (
        SELECT json_agg(json_build_object('id', q -> 'id', 'text', q -> 'text', 'difficulty', q -> 'difficulty', 'options', q -> 'options'))
        FROM jsonb_array_elements(s -> 'questions') AS q)))
      FROM jsonb_array_elements(a."sections") AS s)
    ) ORDER BY a."createdAt" DESC, a."id" DESC))))::text AS "json"
  FROM (SELECT * FROM "Assessment" WHERE "organisationId" = $1 ORDER BY "createdAt" DESC, "id" DESC LIMIT 100) AS a
  JOIN "AssessmentTemplate" AS t ON t."organisationId" = a."organisationId" AND t."id" = a."templateId"
  JOIN "Entity" AS e ON e."organisationId" = a."organisationId" AND e."id" = a."entityId"`

const list = (behind: string) => `
  WITH "page" AS (
    SELECT "id", "name", "status", "companyName", "country", "createdAt" FROM "Assessment"
    WHERE "organisationId" = $1 AND "status" IN ('DRAFT', 'ANALYZING') ${behind} ORDER BY "name", "id" LIMIT $2::int + 1
  ), "numbered" AS (SELECT *, row_number() OVER (ORDER BY "name", "id") AS "number" FROM "page")
  SELECT json_build_object('data', json_build_object('assessments', json_build_object(
    'totalCount', (SELECT count(*) FROM "Assessment" WHERE "organisationId" = $1 AND "status" IN ('DRAFT', 'ANALYZING')),
    'pageInfo', json_build_object('hasNextPage', count(*) > $2,
      'endCursor', (SELECT json_build_array("name", "id")::text FROM "numbered" WHERE "number" <= $2 ORDER BY "number" DESC LIMIT 1)),
    'nodes', json_agg(json_build_object('id', "id", 'name', "name", 'status', "status", 'companyName', "companyName", 'country', "country",
      'createdAt', ${time('createdAt')}) ORDER BY "number") FILTER (WHERE "number" <= $2))))::text AS "json"
  FROM "numbered"`

// A stale version finds nothing to update and reads the row instead; one statement does both.
const SET_PROGRESS = `
  WITH "written" AS (
    UPDATE "Assessment" SET "progress" = $4, "version" = "version" + 1, "changedBy" = 'bench:raw'
    WHERE "organisationId" = $1 AND "id" = $2 AND "version" = $3 RETURNING "id", "version", "name", "progress"
  )
  SELECT json_build_object('data', json_build_object('updateAssessment', json_build_object(
    '__typename', 'UpdateAssessmentSuccess', 'assessment', row_to_json("written"))))::text AS "json" FROM "written"
  UNION ALL
  SELECT json_build_object('data', json_build_object('updateAssessment', json_build_object(
    '__typename', 'ConflictError', 'actualVersion', "version",
    'current', json_build_object('id', "id", 'version', "version", 'name', "name", 'progress', "progress"))))::text
  FROM "Assessment" WHERE "organisationId" = $1 AND "id" = $2 AND NOT EXISTS (SELECT FROM "written")`

const ENTITIES = `
  SELECT json_build_object('data', json_build_object('_entities', json_agg(json_build_object(
    'id', "id", 'version', "version", 'name', "name", 'status', "status", 'progress', "progress") ORDER BY "number")))::text AS "json"
  FROM unnest($2::uuid[]) WITH ORDINALITY AS "reference"("id", "number")
  JOIN "Assessment" USING ("id") WHERE "organisationId" = $1`

const request = z.discriminatedUnion('operation', [
  z.object({ operation: z.literal('W1'), variables: z.object({ id: z.string() }) }),
  z.object({ operation: z.literal('W2') }),
  z.object({ operation: z.literal('W3'), variables: z.object({ first: z.number(), after: z.string().nullable() }) }),
  z.object({ operation: z.literal('W4'), variables: z.object({ id: z.string(), expectedVersion: z.number(), progress: z.number() }) }),
  z.object({ operation: z.literal('W5'), variables: z.object({ representations: z.array(z.object({ id: z.string() })) }) }),
])
const cursor = z.tuple([z.string(), z.string()])

async function answer(body: string): Promise<string> {
  const asked = request.parse(JSON.parse(body))
  switch (asked.operation) {
    case 'W1':
      return query('W1', BY_ID, [asked.variables.id])
    case 'W2':
      return query('W2', WITH_QUESTIONS, [])
    case 'W3': {
      const { first, after } = asked.variables
      if (after === null) return query('W3a', list(''), [first])
      return query('W3b', list('AND ("name", "id") > ($3, $4::uuid)'), [first, ...cursor.parse(JSON.parse(after))])
    }
    case 'W4': {
      const { id, expectedVersion, progress } = asked.variables
      return query('W4', SET_PROGRESS, [id, expectedVersion, progress])
    }
    case 'W5':
      return query('W5', ENTITIES, [asked.variables.representations.map(({ id }) => id)])
  }
}

async function query(name: string, text: string, values: unknown[]): Promise<string> {
  const { rows } = await pool.query<{ json: string }>({ name, text, values: [ORGANISATION_ID, ...values] })
  return rows[0]?.json ?? '{"data":null}'
}

async function read(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

const server = createServer((incoming, response) => {
  read(incoming)
    .then(answer)
    .then((json) => {
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(json) })
      response.end(json)
    })
    .catch((error: unknown) => {
      process.stderr.write(`${String(error)}\n`)
      response.writeHead(500).end()
    })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port.')
  announce(`http://127.0.0.1:${address.port}/`)
})
