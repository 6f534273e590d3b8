-- What refreshAssessments does, by hand in one transaction: every open assessment is brought up to
-- date with the question bank. A revised question is renewed and keeps its id, and its answer where
-- the option is still there; a deleted one is replaced by the free one of its pool with the lowest
-- qid, or stays where there is none. The table's triggers check the version and write the revision.

BEGIN;

-- The planner takes every list for 100 items long, and would compile and sort on disk for it.
SET LOCAL jit = off;
SET LOCAL work_mem = '64MB';
SET LOCAL enable_memoize = off;

-- Locked in the order of their ids, so that two refreshes never deadlock.
SELECT count(*) FROM (
  SELECT FROM "Assessment"
  WHERE "organisationId" = '01940000-0000-7000-8000-000000000001' AND "status" <> 'COMPLETE'
  ORDER BY "id" FOR UPDATE
) AS locked;

-- Which question comes in the place of a deleted one.
CREATE TEMPORARY TABLE replaced ON COMMIT DROP AS
WITH wanted AS (
  SELECT a."id", s.i AS section, q.i AS question, q.value ->> 'topic' AS topic, (q.value ->> 'difficulty')::"QuestionDifficulty" AS difficulty,
    row_number() OVER (PARTITION BY a."id", q.value ->> 'topic', q.value ->> 'difficulty' ORDER BY s.i, q.i) AS n
  FROM "Assessment" AS a
  CROSS JOIN LATERAL jsonb_array_elements(a."sections") WITH ORDINALITY AS s(value, i)
  CROSS JOIN LATERAL jsonb_array_elements(s.value -> 'questions') WITH ORDINALITY AS q(value, i)
  LEFT JOIN "Question" AS b ON b."organisationId" = a."organisationId" AND b."qid" = (q.value ->> 'qid')::int
  WHERE a."organisationId" = '01940000-0000-7000-8000-000000000001' AND a."status" <> 'COMPLETE' AND b."deleted" IS NOT FALSE
), pools AS (
  SELECT "id", topic, difficulty, max(n) AS count,
    (SELECT array_agg(qid::int) FROM "Assessment" AS a, jsonb_path_query(a."sections", '$[*].questions[*].qid') AS qid WHERE a."id" = wanted."id") AS held
  FROM wanted GROUP BY "id", topic, difficulty
), free AS (
  SELECT pools."id", topic, difficulty, q."qid", row_number() OVER (PARTITION BY pools."id", topic, difficulty ORDER BY q."qid") AS n
  FROM pools
  CROSS JOIN LATERAL (
    SELECT b."qid" FROM "Question" AS b
    WHERE b."organisationId" = '01940000-0000-7000-8000-000000000001' AND b."topic" = pools.topic AND b."difficulty" = pools.difficulty
      AND NOT b."deleted" AND b."qid" <> ALL (pools.held)
    ORDER BY b."qid" LIMIT pools.count
  ) AS q
)
-- A pool's first deleted question takes its first free one, the second the second.
SELECT "id", section, question, free."qid" FROM wanted JOIN free USING ("id", topic, difficulty, n);
CREATE INDEX ON replaced ("id", section, question);
ANALYZE replaced;

UPDATE "Assessment" AS a
SET "sections" = fresh.sections, "version" = a."version" + 1, "changedByRequest" = NULL,
  -- The only credential there is, as the gateway names it.
  "changedBy" = (SELECT 'key:' || "id" FROM "ApiKey")
FROM (
  SELECT a."id", (
    SELECT jsonb_agg(s.value || jsonb_build_object('questions', (
      SELECT coalesce(jsonb_agg(CASE WHEN b."qid" IS NULL THEN q.value ELSE jsonb_build_object(
        'id', CASE WHEN r."qid" IS NULL THEN q.value ->> 'id' ELSE gen_random_uuid()::text END,
        'qid', b."qid", 'revision', b."revision", 'text', b."text", 'topic', b."topic", 'difficulty', b."difficulty", 'options', b."options",
        'answerKey', CASE
          WHEN r."qid" IS NULL AND b."options" @> jsonb_build_array(jsonb_build_object('key', q.value -> 'answerKey')) THEN q.value -> 'answerKey'
        END) END ORDER BY q.i), '[]')
      FROM jsonb_array_elements(s.value -> 'questions') WITH ORDINALITY AS q(value, i)
      LEFT JOIN replaced AS r ON r."id" = a."id" AND r.section = s.i AND r.question = q.i
      -- What the bank has no newer of stays as it is.
      -- The organisation once more, as the bank is hashed again for each value from outside.
      LEFT JOIN "Question" AS b ON b."organisationId" = '01940000-0000-7000-8000-000000000001' AND b."qid" = coalesce(r."qid", (q.value ->> 'qid')::int)
        AND NOT b."deleted" AND (r."qid" IS NOT NULL OR b."revision" > (q.value ->> 'revision')::int)
    )) ORDER BY s.i)
    FROM jsonb_array_elements(a."sections") WITH ORDINALITY AS s(value, i)
  ) AS sections
  FROM "Assessment" AS a
  WHERE a."organisationId" = '01940000-0000-7000-8000-000000000001' AND a."status" <> 'COMPLETE'
  -- Keeps the planner from computing the sections twice.
  OFFSET 0
) AS fresh
WHERE a."id" = fresh."id" AND a."sections" <> fresh.sections;

COMMIT;
