-- The data of the benchmark: as many assessments as bench.assessments says (20,000, unless a
-- benchmark asks for others) of 5 questions at version 5 with 5 revisions, and 10 results for each
-- assessment with a revision each, all of one organisation. The number is a multiple of 100.
-- The same ids and values come out each time and on both databases, so that answers can be compared.

CREATE FUNCTION pg_temp.assessments() RETURNS int LANGUAGE sql STABLE AS $$ SELECT current_setting('bench.assessments')::int $$;

-- A version 7 UUID, whose leading time keeps rows that were made together near each other in indexes.
CREATE FUNCTION pg_temp.id(kind text, number bigint, at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(kind || number), 1, 3)
    || '8' || substr(md5(kind || number), 4, 15))::uuid
$$;

-- Rows are born at version 1 and raised one by one; here they are written as they would be by now.
ALTER TABLE "Assessment" DISABLE TRIGGER USER;
ALTER TABLE "AssessmentResult" DISABLE TRIGGER USER;

INSERT INTO "Organisation" ("id", "name") VALUES ('01940000-0000-7000-8000-000000000001', 'Benchmark');

INSERT INTO "User" ("id", "organisationId", "sourcedId", "subject", "name", "createdAt")
SELECT pg_temp.id('user', i, at), o."id", 'user-' || i, 'user-' || i, 'User ' || i, at
FROM "Organisation" AS o, generate_series(1, 1000) AS i, LATERAL (SELECT timestamptz '2025-01-01Z' + i * interval '1 minute') AS t(at);

INSERT INTO "Entity" ("id", "organisationId", "sourcedId", "name", "companyType", "country", "createdAt")
SELECT pg_temp.id('entity', i, at), o."id", 'entity-' || i, 'Company ' || i, 'Supplier', (ARRAY['DE', 'FR', 'NL', 'SE'])[i % 4 + 1], at
FROM "Organisation" AS o, generate_series(0, pg_temp.assessments() / 10 - 1) AS i, LATERAL (SELECT timestamptz '2025-02-01Z' + i * interval '1 minute') AS t(at);

INSERT INTO "AssessmentTemplate" ("id", "organisationId", "sourcedId", "name", "type", "validityDays", "sections", "workflowSteps", "createdAt")
SELECT pg_temp.id('template', i, at), o."id", 'template-' || i, 'Template ' || i, 'type-' || i, 365,
  '[{"title": "Governance", "topic": "governance", "difficulty": "EASY", "questionCount": 3},
    {"title": "Supply chain", "topic": "supply chain", "difficulty": "MEDIUM", "questionCount": 2}]', ARRAY['collect', 'review'], at
FROM "Organisation" AS o, generate_series(0, 9) AS i, LATERAL (SELECT timestamptz '2025-03-01Z' + i * interval '1 minute') AS t(at);

INSERT INTO "Outcome" ("id", "organisationId", "templateId", "name", "position")
SELECT pg_temp.id('outcome', row_number() OVER (ORDER BY "id"), "createdAt"), "organisationId", "id", 'Open', 0 FROM "AssessmentTemplate";

INSERT INTO "Question" ("id", "organisationId", "sourcedId", "text", "topic", "difficulty", "options", "createdAt")
SELECT pg_temp.id('question', i, at), o."id", 'question-' || i,
  format('How often does case %s happen in your organisation, and who is told about it?', i),
  CASE WHEN i <= 600 THEN 'governance' ELSE 'supply chain' END, (CASE WHEN i <= 600 THEN 'EASY' ELSE 'MEDIUM' END)::"QuestionDifficulty",
  '[{"key": "o0", "label": "Never", "riskScore": 0}, {"key": "o1", "label": "Rarely", "riskScore": 30},
    {"key": "o2", "label": "Often", "riskScore": 60}, {"key": "o3", "label": "Always", "riskScore": 90}]', at
FROM "Organisation" AS o, generate_series(1, 1000) AS i, LATERAL (SELECT timestamptz '2025-04-01Z' + i * interval '1 minute') AS t(at);

-- Each (entity, template) comes once, as only one of a pair can be open.
INSERT INTO "Assessment" ("id", "organisationId", "version", "name", "companyName", "companyType", "country", "status", "progress",
  "overallRiskScore", "overallRiskLevel", "entityId", "templateId", "templateType", "createdById", "outcomeId", "workflowId",
  "workflowState", "workflowStep", "sections", "createdAt", "updatedAt", "changedBy")
SELECT pg_temp.id('assessment', i, at), e."organisationId", 5, 'Check ' || upper(substr(md5(i::text), 1, 10)) || ' – ' || e."name", e."name",
  e."companyType", e."country", (ARRAY['DRAFT', 'ANALYZING', 'ACTION_REQUIRED', 'COMPLETE'])[i % 4 + 1]::"AssessmentStatus", i % 101,
  CASE WHEN i % 4 = 3 THEN chosen * 30 END,
  CASE WHEN i % 4 = 3 THEN (ARRAY['LOW', 'MODERATE', 'HIGH', 'CRITICAL'])[chosen + 1]::"RiskLevel" END,
  e."id", t."id", t."type", pg_temp.id('user', i % 1000 + 1, timestamptz '2025-01-01Z' + (i % 1000 + 1) * interval '1 minute'), o."id",
  pg_temp.id('workflow', i, at), 'ACTIVE', 'collect', s.sections, at, at + interval '1 hour', 'user:user-1'
FROM generate_series(0, pg_temp.assessments() - 1) AS i
CROSS JOIN LATERAL (SELECT timestamptz '2026-01-01Z' + i * interval '1 minute', i % 13 % 4) AS v(at, chosen)
JOIN "Entity" AS e ON e."sourcedId" = 'entity-' || i % (pg_temp.assessments() / 10)
JOIN "AssessmentTemplate" AS t ON t."sourcedId" = 'template-' || (i + i / (pg_temp.assessments() / 10)) % 10
JOIN "Outcome" AS o ON o."templateId" = t."id"
CROSS JOIN LATERAL (
  SELECT jsonb_build_array(
    jsonb_build_object('title', 'Governance', 'questions', jsonb_agg(question ORDER BY n) FILTER (WHERE n < 3)),
    jsonb_build_object('title', 'Supply chain', 'questions', jsonb_agg(question ORDER BY n) FILTER (WHERE n >= 3)))
  FROM (
    SELECT n, jsonb_build_object('id', pg_temp.id('snapshot', i * 5 + n, at), 'qid', q."qid", 'revision', q."revision", 'text', q."text",
      'topic', q."topic", 'difficulty', q."difficulty", 'options', q."options", 'answerKey', 'o' || chosen) AS question
    FROM generate_series(0, 4) AS n
    JOIN "Question" AS q ON q."sourcedId" = 'question-' || CASE WHEN n < 3 THEN (i * 3 + n) % 600 + 1 ELSE (i * 2 + n) % 400 + 601 END
  ) AS questions
) AS s(sections);

INSERT INTO "Revision" ("organisationId", "assessmentId", "version", "changedPaths", "actor", "changedAt")
SELECT a."organisationId", a."id", v,
  CASE v WHEN 1 THEN ARRAY['id', 'oid', 'name', 'status', 'sections'] ELSE ARRAY['progress', 'status'] END,
  a."changedBy", a."createdAt" + (v - 1) * interval '15 minutes'
FROM generate_series(1, 5) AS v, "Assessment" AS a;

INSERT INTO "ScoreScale" ("id", "organisationId", "sourcedId", "title", "type", "values")
SELECT pg_temp.id('scale', 1, '2025-05-01Z'), "id", 'scale-1', 'Letters', 'letter', '[{"itemValueLHS": "A", "itemValueRHS": "50-100"}, {"itemValueLHS": "B", "itemValueRHS": "0-50"}]'
FROM "Organisation";

INSERT INTO "AssessmentLineItem" ("id", "organisationId", "sourcedId", "title", "resultValueMin", "resultValueMax", "scoreScaleId", "createdAt")
SELECT pg_temp.id('item', i, at), s."organisationId", 'item-' || i, 'Line item ' || i, 0, 100, s."id", at
FROM "ScoreScale" AS s, generate_series(0, pg_temp.assessments() / 100 - 1) AS i, LATERAL (SELECT timestamptz '2025-05-01Z' + i * interval '1 minute') AS t(at);

INSERT INTO "AssessmentResult" ("id", "organisationId", "sourcedId", "status", "assessmentLineItemId", "studentId", "score", "textScore", "scoreDate",
  "scoreStatus", "createdAt", "updatedAt", "changedBy")
SELECT pg_temp.id('result', i, at), l."organisationId", 'result-' || i, 'ACTIVE', l."id", u."id", i % 101, CASE WHEN i % 101 > 50 THEN 'A' ELSE 'B' END,
  at, 'FULLY_GRADED', at, at, 'user:user-1'
FROM generate_series(0, pg_temp.assessments() * 10 - 1) AS i
JOIN "AssessmentLineItem" AS l ON l."sourcedId" = 'item-' || i / 1000
JOIN "User" AS u ON u."sourcedId" = 'user-' || i % 1000 + 1
CROSS JOIN LATERAL (SELECT timestamptz '2026-01-01Z' + i * interval '6 seconds') AS t(at);

INSERT INTO "Revision" ("organisationId", "assessmentResultId", "version", "changedPaths", "actor", "changedAt")
SELECT "organisationId", "id", 1, ARRAY['id', 'sourcedId', 'status', 'score'], "changedBy", "createdAt" FROM "AssessmentResult";

ALTER TABLE "Assessment" ENABLE TRIGGER USER;
ALTER TABLE "AssessmentResult" ENABLE TRIGGER USER;
