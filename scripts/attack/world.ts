import pg from 'pg'
import { openDatabase } from '../../src/database/client.js'
import { migrate } from '../../src/database/migrations.js'
import { isFailure } from '../../src/domain/failures.js'
import { scopes } from '../../src/domain/scopes.js'
import { createKey, createOrganisation } from '../../src/organisations/service.js'

/** What an attacker can name in arguments, by kind: UUIDs, or the writers' own ids. What is no kind stands under the name of the argument. */
export type Names = Record<string, string[]>

export interface World {
  attacker: { key: string; names: Names }
  neighbour: { key: string; assessmentId: string }
}

/** The attacker's rows are many, and as large as they may become by ordinary writes; the newest are the largest. */
const SIZES = { users: 1_000, entities: 3_000, templates: 50, assessments: 3_000, revised: 100, revisions: 50, records: 5_000, lineItems: 500, results: 10_000, large: 200 }
const LONG_TEXT = 65_536

/**
 * Rows of one organisation, $1. Questions, options and results on objectives are as many as an ordinary body of a request can bring.
 */
const rows = (sizes: typeof SIZES): string[] => [
  `INSERT INTO "User" ("id", "organisationId", "sourcedId", "subject", "name")
   SELECT gen_random_uuid(), $1, 'user ' || i, 'subject ' || i, 'User ' || i FROM generate_series(1, ${sizes.users}) i`,
  `INSERT INTO "Entity" ("id", "organisationId", "sourcedId", "name", "companyType", "country")
   SELECT gen_random_uuid(), $1, 'entity ' || i, 'Entity ' || i, 'Cooperative', 'Kenya' FROM generate_series(1, ${sizes.entities}) i`,
  `INSERT INTO "Folder" ("id", "organisationId", "sourcedId", "name") SELECT gen_random_uuid(), $1, 'folder ' || i, 'Folder ' || i FROM generate_series(1, 20) i`,
  `INSERT INTO "Question" ("id", "organisationId", "sourcedId", "text", "topic", "difficulty", "options")
   SELECT gen_random_uuid(), $1, 'question ' || i, repeat('How often does it happen? ', 8), 'topic ' || i % 10, 'EASY',
          (SELECT jsonb_agg(jsonb_build_object('key', 'o' || o, 'label', 'Option ' || o, 'riskScore', o)) FROM generate_series(1, 10) o)
   FROM generate_series(1, 500) i`,
  `INSERT INTO "AssessmentTemplate" ("id", "organisationId", "sourcedId", "name", "type", "description", "sections", "workflowSteps")
   SELECT gen_random_uuid(), $1, 'template ' || i, 'Template ' || i, 'type ' || i, repeat('What it is for. ', 50),
          (SELECT jsonb_agg(jsonb_build_object('title', 'Section ' || s, 'topic', 'topic ' || s, 'difficulty', 'EASY', 'questionCount', 20)) FROM generate_series(0, 9) s),
          '{collect,review}'
   FROM generate_series(1, ${sizes.templates}) i`,
  `INSERT INTO "Outcome" ("id", "organisationId", "templateId", "name", "position")
   SELECT gen_random_uuid(), $1, t."id", 'Outcome ' || i, i FROM "AssessmentTemplate" t, generate_series(1, 5) i WHERE t."organisationId" = $1`,
  `WITH bank AS MATERIALIZED (
     SELECT jsonb_agg(jsonb_build_object('title', 'Section ' || s, 'questions', questions)) AS sections FROM (
       SELECT s, (SELECT jsonb_agg(jsonb_build_object('id', gen_random_uuid(), 'qid', "qid", 'revision', 1, 'text', "text", 'topic', "topic", 'difficulty', "difficulty", 'options', "options", 'answerKey', 'o1'))
                  FROM (SELECT * FROM "Question" WHERE "organisationId" = $1 AND "topic" = 'topic ' || s LIMIT 20) q) AS questions
       FROM generate_series(0, 9) s) sections),
   numbered AS (SELECT "id", "name", row_number() OVER (ORDER BY "sourcedId") AS i FROM "Entity" WHERE "organisationId" = $1),
   templates AS (SELECT "id", "type", row_number() OVER (ORDER BY "sourcedId") AS i FROM "AssessmentTemplate" WHERE "organisationId" = $1),
   creators AS (SELECT "id", row_number() OVER (ORDER BY "sourcedId") AS i FROM "User" WHERE "organisationId" = $1)
   INSERT INTO "Assessment" ("id", "organisationId", "name", "companyName", "entityId", "templateId", "templateType", "createdById", "workflowId", "workflowState", "workflowStep", "sections", "createdAt", "changedBy")
   SELECT gen_random_uuid(), $1, 'Assessment of ' || e."name", e."name", e."id", t."id", t."type", c."id", gen_random_uuid(), 'ACTIVE', 'collect',
          CASE WHEN e.i <= ${sizes.large} THEN (SELECT sections FROM bank) ELSE (SELECT jsonb_path_query_array(sections, '$[0]') FROM bank) END,
          now() - e.i * interval '1 second', 'system:attack'
   FROM numbered e JOIN templates t ON t.i = 1 + e.i % ${sizes.templates} JOIN creators c ON c.i = 1 + e.i % ${sizes.users}
   WHERE e.i <= ${sizes.assessments}`,
  ...Array.from(
    { length: sizes.revisions },
    (_, i) => `UPDATE "Assessment" SET "progress" = ${i % 100}.5, "changedBy" = 'system:attack', "version" = "version" + 1
      WHERE "id" IN (SELECT "id" FROM "Assessment" WHERE "organisationId" = $1 ORDER BY "createdAt" DESC LIMIT ${sizes.revised})`,
  ),
  `INSERT INTO "AssessmentRecord" ("id", "organisationId", "sourcedId", "status", "userId", "assessmentDefinitionId", "assessorId", "folderId", "changedBy")
   SELECT gen_random_uuid(), $1, 'record ' || i, 'PENDING', u."id", t."id", u."id", f."id", 'system:attack'
   FROM generate_series(1, ${sizes.records}) i
   JOIN (SELECT "id", row_number() OVER () AS n FROM "User" WHERE "organisationId" = $1) u ON u.n = 1 + i % ${sizes.users}
   JOIN (SELECT "id", row_number() OVER () AS n FROM "AssessmentTemplate" WHERE "organisationId" = $1) t ON t.n = 1 + i % ${sizes.templates}
   JOIN (SELECT "id", row_number() OVER () AS n FROM "Folder" WHERE "organisationId" = $1) f ON f.n = 1 + i % 20`,
  `INSERT INTO "ScoreScale" ("id", "organisationId", "sourcedId", "title", "type", "values")
   SELECT gen_random_uuid(), $1, 'scale ' || i, 'Scale ' || i, 'letter',
          (SELECT jsonb_agg(jsonb_build_object('itemValueLHS', 'grade ' || v, 'itemValueRHS', v::text)) FROM generate_series(1, 1000) v)
   FROM generate_series(1, 10) i`,
  `INSERT INTO "AssessmentLineItem" ("id", "organisationId", "sourcedId", "title", "description", "scoreScaleId")
   SELECT gen_random_uuid(), $1, 'line item ' || i, 'Line item ' || i, repeat('What is scored. ', 50), s."id"
   FROM generate_series(1, ${sizes.lineItems}) i
   JOIN (SELECT "id", row_number() OVER () AS n FROM "ScoreScale" WHERE "organisationId" = $1) s ON s.n = 1 + i % 10`,
  `INSERT INTO "AssessmentResult" ("id", "organisationId", "sourcedId", "status", "metadata", "assessmentLineItemId", "studentId", "score", "scoreDate", "scoreScaleId", "scoreStatus", "comment", "learningObjectiveSet", "updatedAt", "changedBy")
   SELECT gen_random_uuid(), $1, 'result ' || i, 'ACTIVE',
          CASE WHEN i <= ${sizes.large} THEN jsonb_build_object('text', repeat('m', 60000)) END, l."id", u."id", i % 100, now(), s."id", 'SUBMITTED',
          CASE WHEN i <= ${sizes.large} THEN repeat('comment ', ${LONG_TEXT / 8}) ELSE 'Well done.' END,
          CASE WHEN i <= ${sizes.large} THEN jsonb_build_array(jsonb_build_object('source', 'local', 'learningObjectiveResults',
            (SELECT jsonb_agg(jsonb_build_object('learningObjectiveId', 'objective ' || o, 'score', o, 'textScore', null)) FROM generate_series(1, 1000) o))) ELSE '[]' END,
          now() - i * interval '1 second', 'system:attack'
   FROM generate_series(1, ${sizes.results}) i
   JOIN (SELECT "id", row_number() OVER (ORDER BY "sourcedId") AS n FROM "AssessmentLineItem" WHERE "organisationId" = $1) l ON l.n = 1 + i / 20 % ${sizes.lineItems}
   JOIN (SELECT "id", row_number() OVER () AS n FROM "User" WHERE "organisationId" = $1) u ON u.n = 1 + i % ${sizes.users}
   JOIN (SELECT "id", row_number() OVER () AS n FROM "ScoreScale" WHERE "organisationId" = $1) s ON s.n = 1 + i % 10`,
]

/** Where names come from: the newest rows of $1 first. */
const NAMED = {
  Organisation: 'SELECT "id" AS name FROM "Organisation" WHERE "id" = $1',
  User: 'SELECT "id" AS name FROM "User" WHERE "organisationId" = $1 ORDER BY "sourcedId"',
  userSourcedId: 'SELECT "sourcedId" AS name FROM "User" WHERE "organisationId" = $1 ORDER BY "sourcedId"',
  subject: 'SELECT "subject" AS name FROM "User" WHERE "organisationId" = $1 ORDER BY "sourcedId"',
  Entity: 'SELECT "id" AS name FROM "Entity" WHERE "organisationId" = $1 ORDER BY "sourcedId"',
  country: `SELECT 'Kenya' AS name FROM "Organisation" WHERE "id" = $1`,
  AssessmentTemplate: 'SELECT "id" AS name FROM "AssessmentTemplate" WHERE "organisationId" = $1 ORDER BY "sourcedId"',
  type: 'SELECT "type" AS name FROM "AssessmentTemplate" WHERE "organisationId" = $1 ORDER BY "sourcedId"',
  Outcome: 'SELECT "id" AS name FROM "Outcome" WHERE "organisationId" = $1',
  Folder: 'SELECT "id" AS name FROM "Folder" WHERE "organisationId" = $1',
  Assessment: 'SELECT "id" AS name FROM "Assessment" WHERE "organisationId" = $1 ORDER BY "createdAt" DESC',
  oid: 'SELECT "oid" AS name FROM "Assessment" WHERE "organisationId" = $1 ORDER BY "createdAt" DESC',
  AssessmentQuestion: `SELECT q->>'id' AS name FROM (SELECT "sections" FROM "Assessment" WHERE "organisationId" = $1 ORDER BY "createdAt" DESC LIMIT 1) a, jsonb_path_query("sections", '$[*].questions[*]') q`,
  AssessmentRecord: 'SELECT "id" AS name FROM "AssessmentRecord" WHERE "organisationId" = $1 ORDER BY "updatedAt" DESC',
  scaleSourcedId: 'SELECT "sourcedId" AS name FROM "ScoreScale" WHERE "organisationId" = $1',
  lineItemSourcedId: 'SELECT "sourcedId" AS name FROM "AssessmentLineItem" WHERE "organisationId" = $1 ORDER BY "sourcedId"',
  resultSourcedId: 'SELECT "sourcedId" AS name FROM "AssessmentResult" WHERE "organisationId" = $1 ORDER BY "updatedAt" DESC',
}

/** Fills an empty database: an attacker with all scopes and much data, and a neighbour with one small assessment. */
export async function fill(url: string): Promise<World> {
  const database = await openDatabase({ url, poolSize: 2 })
  const sql = new pg.Client({ connectionString: url })
  await sql.connect()
  try {
    await migrate(database.adapter)
    const organisation = async (name: string) => {
      const made = await createOrganisation(database.client, name)
      if (isFailure(made)) throw new Error(made.message)
      const key = await createKey(database.client, { organisationId: made.id, scopes: [...scopes], subject: undefined })
      if (isFailure(key)) throw new Error(key.message)
      return { id: made.id, key: key.key }
    }
    const [attacker, neighbour] = [await organisation('Attacker'), await organisation('Neighbour')]
    for (const statement of rows(SIZES)) await sql.query(statement, [attacker.id])
    for (const statement of rows({ users: 1, entities: 1, templates: 1, assessments: 1, revised: 1, revisions: 1, records: 1, lineItems: 1, results: 1, large: 0 })) {
      await sql.query(statement, [neighbour.id])
    }
    await sql.query('ANALYZE')
    const namesOf = async (id: string) => {
      const names: Names = {}
      for (const [kind, statement] of Object.entries(NAMED)) names[kind] = (await sql.query<{ name: unknown }>(statement, [id])).rows.map(({ name }) => String(name))
      return names
    }
    const [assessmentId] = (await namesOf(neighbour.id))['Assessment'] ?? []
    if (assessmentId === undefined) throw new Error('The neighbour has no assessment.')
    return { attacker: { key: attacker.key, names: await namesOf(attacker.id) }, neighbour: { key: neighbour.key, assessmentId } }
  } finally {
    await sql.end()
    await database.close()
  }
}
