-- What Prisma's schema language cannot say: the version rules, which hold for every writer, and
-- the ranges and states that no row may leave.

-- A versioned row is born at version 1 and goes up by exactly 1 with every change. The database's
-- clock dates it.
CREATE FUNCTION stamp_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW."version" <> 1 THEN
      RAISE EXCEPTION '% %: a new row has version 1, not %', TG_TABLE_NAME, NEW."id", NEW."version"
        USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    NEW."updatedAt" := NEW."createdAt";
  ELSE
    IF NEW."version" <> OLD."version" + 1 THEN
      RAISE EXCEPTION '% %: a change must raise version % by 1, not to %', TG_TABLE_NAME, OLD."id", OLD."version", NEW."version"
        USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW."id" <> OLD."id" OR NEW."organisationId" <> OLD."organisationId" THEN
      RAISE EXCEPTION '% %: id and organisation never change', TG_TABLE_NAME, OLD."id"
        USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    NEW."createdAt" := OLD."createdAt";
    NEW."updatedAt" := date_trunc('milliseconds', clock_timestamp());
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER "Assessment_stamp" BEFORE INSERT OR UPDATE ON "Assessment" FOR EACH ROW EXECUTE FUNCTION stamp_version();
CREATE TRIGGER "AssessmentRecord_stamp" BEFORE INSERT OR UPDATE ON "AssessmentRecord" FOR EACH ROW EXECUTE FUNCTION stamp_version();
CREATE TRIGGER "AssessmentResult_stamp" BEFORE INSERT OR UPDATE ON "AssessmentResult" FOR EACH ROW EXECUTE FUNCTION stamp_version();

-- The paths inside `sections` that differ, as sections.<section>.questions.<question>.<field>,
-- counted from 0. `answer` is the chosen option, so it also changes when that option does.
CREATE FUNCTION changed_section_paths(before jsonb, after jsonb) RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$
  SELECT format('sections.%s.questions.%s.%s', section.i - 1, question.i - 1, field.path)
  FROM jsonb_array_elements(after) WITH ORDINALITY AS section(value, i)
  LEFT JOIN jsonb_array_elements(before) WITH ORDINALITY AS old_section(value, i) ON old_section.i = section.i
  CROSS JOIN LATERAL jsonb_array_elements(section.value -> 'questions') WITH ORDINALITY AS question(value, i)
  LEFT JOIN LATERAL jsonb_array_elements(old_section.value -> 'questions') WITH ORDINALITY AS previous(value, i)
    ON previous.i = question.i
  CROSS JOIN LATERAL (
    VALUES
      (1, 'id', previous.value -> 'id', question.value -> 'id'),
      (2, 'qid', previous.value -> 'qid', question.value -> 'qid'),
      (3, 'revision', previous.value -> 'revision', question.value -> 'revision'),
      (4, 'text', previous.value -> 'text', question.value -> 'text'),
      (5, 'topic', previous.value -> 'topic', question.value -> 'topic'),
      (6, 'difficulty', previous.value -> 'difficulty', question.value -> 'difficulty'),
      (7, 'options', previous.value -> 'options', question.value -> 'options'),
      (8, 'answer',
        jsonb_path_query_first(previous.value, '$.options[*] ? (@.key == $.answerKey)'),
        jsonb_path_query_first(question.value, '$.options[*] ? (@.key == $.answerKey)'))
  ) AS field(position, path, before, after)
  WHERE previous.value IS DISTINCT FROM question.value AND field.before IS DISTINCT FROM field.after
  ORDER BY section.i, question.i, field.position
$$;

-- One revision for each version, written by the same statement as the change: no writer can leave
-- it out. In an INSERT every column of OLD is null, so that the first revision lists what is set.
CREATE FUNCTION record_assessment_revision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  paths text[] := array_remove(ARRAY[
    CASE WHEN OLD."id" IS DISTINCT FROM NEW."id" THEN 'id' END,
    CASE WHEN OLD."oid" IS DISTINCT FROM NEW."oid" THEN 'oid' END,
    CASE WHEN OLD."name" IS DISTINCT FROM NEW."name" THEN 'name' END,
    CASE WHEN OLD."companyName" IS DISTINCT FROM NEW."companyName" THEN 'companyName' END,
    CASE WHEN OLD."companyType" IS DISTINCT FROM NEW."companyType" THEN 'companyType' END,
    CASE WHEN OLD."country" IS DISTINCT FROM NEW."country" THEN 'country' END,
    CASE WHEN OLD."status" IS DISTINCT FROM NEW."status" THEN 'status' END,
    CASE WHEN OLD."intakeMode" IS DISTINCT FROM NEW."intakeMode" THEN 'intakeMode' END,
    CASE WHEN OLD."progress" IS DISTINCT FROM NEW."progress" THEN 'progress' END,
    CASE WHEN OLD."overallRiskScore" IS DISTINCT FROM NEW."overallRiskScore" THEN 'overallRiskScore' END,
    CASE WHEN OLD."overallRiskLevel" IS DISTINCT FROM NEW."overallRiskLevel" THEN 'overallRiskLevel' END,
    CASE WHEN OLD."organisationId" IS DISTINCT FROM NEW."organisationId" THEN 'organisation' END,
    CASE WHEN OLD."entityId" IS DISTINCT FROM NEW."entityId" THEN 'entity' END,
    CASE WHEN OLD."templateId" IS DISTINCT FROM NEW."templateId" THEN 'template' END,
    CASE WHEN OLD."createdById" IS DISTINCT FROM NEW."createdById" THEN 'createdBy' END,
    CASE WHEN OLD."outcomeId" IS DISTINCT FROM NEW."outcomeId" THEN 'outcome' END,
    CASE WHEN (OLD."workflowId", OLD."workflowState", OLD."workflowStep", OLD."workflowErrorType", OLD."workflowErrorMessage", OLD."workflowErrorStep", OLD."workflowErrorDetails")
      IS DISTINCT FROM (NEW."workflowId", NEW."workflowState", NEW."workflowStep", NEW."workflowErrorType", NEW."workflowErrorMessage", NEW."workflowErrorStep", NEW."workflowErrorDetails") THEN 'workflow' END,
    CASE WHEN TG_OP = 'INSERT' THEN 'sections' END,
    CASE WHEN OLD."createdAt" IS DISTINCT FROM NEW."createdAt" THEN 'createdAt' END
  ], NULL);
BEGIN
  IF TG_OP = 'UPDATE' AND OLD."sections" IS DISTINCT FROM NEW."sections" THEN
    paths := paths || ARRAY(SELECT path FROM changed_section_paths(OLD."sections", NEW."sections") AS path);
  END IF;
  INSERT INTO "Revision" ("organisationId", "assessmentId", "version", "changedPaths", "actor", "changedAt")
  VALUES (NEW."organisationId", NEW."id", NEW."version", paths, NEW."changedBy", NEW."updatedAt");
  RETURN NULL;
END $$;

CREATE TRIGGER "Assessment_revision" AFTER INSERT OR UPDATE ON "Assessment" FOR EACH ROW EXECUTE FUNCTION record_assessment_revision();

CREATE FUNCTION record_assessment_record_revision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  paths text[] := array_remove(ARRAY[
    CASE WHEN OLD."id" IS DISTINCT FROM NEW."id" THEN 'id' END,
    CASE WHEN OLD."status" IS DISTINCT FROM NEW."status" THEN 'status' END,
    CASE WHEN OLD."assessmentDate" IS DISTINCT FROM NEW."assessmentDate" THEN 'assessmentDate' END,
    CASE WHEN OLD."expiresAt" IS DISTINCT FROM NEW."expiresAt" THEN 'expiresAt' END,
    CASE WHEN TG_OP = 'INSERT' OR (OLD."expiresAt" <= NEW."updatedAt" IS TRUE) <> (NEW."expiresAt" <= NEW."updatedAt" IS TRUE) THEN 'isExpired' END,
    CASE WHEN OLD."organisationId" IS DISTINCT FROM NEW."organisationId" THEN 'organisation' END,
    CASE WHEN OLD."userId" IS DISTINCT FROM NEW."userId" THEN 'user' END,
    CASE WHEN OLD."assessmentDefinitionId" IS DISTINCT FROM NEW."assessmentDefinitionId" THEN 'assessmentDefinition' END,
    CASE WHEN OLD."assessorId" IS DISTINCT FROM NEW."assessorId" THEN 'assessor' END,
    CASE WHEN OLD."folderId" IS DISTINCT FROM NEW."folderId" THEN 'folder' END,
    CASE WHEN OLD."createdAt" IS DISTINCT FROM NEW."createdAt" THEN 'createdAt' END
  ], NULL);
BEGIN
  INSERT INTO "Revision" ("organisationId", "assessmentRecordId", "version", "changedPaths", "actor", "changedAt")
  VALUES (NEW."organisationId", NEW."id", NEW."version", paths, NEW."changedBy", NEW."updatedAt");
  RETURN NULL;
END $$;

CREATE TRIGGER "AssessmentRecord_revision" AFTER INSERT OR UPDATE ON "AssessmentRecord" FOR EACH ROW EXECUTE FUNCTION record_assessment_record_revision();

CREATE FUNCTION record_assessment_result_revision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  paths text[] := array_remove(ARRAY[
    CASE WHEN OLD."id" IS DISTINCT FROM NEW."id" THEN 'id' END,
    CASE WHEN OLD."sourcedId" IS DISTINCT FROM NEW."sourcedId" THEN 'sourcedId' END,
    CASE WHEN OLD."status" IS DISTINCT FROM NEW."status" THEN 'status' END,
    CASE WHEN OLD."metadata" IS DISTINCT FROM NEW."metadata" THEN 'metadata' END,
    CASE WHEN OLD."assessmentLineItemId" IS DISTINCT FROM NEW."assessmentLineItemId" THEN 'assessmentLineItem' END,
    CASE WHEN OLD."studentId" IS DISTINCT FROM NEW."studentId" THEN 'student' END,
    CASE WHEN OLD."score" IS DISTINCT FROM NEW."score" THEN 'score' END,
    CASE WHEN OLD."textScore" IS DISTINCT FROM NEW."textScore" THEN 'textScore' END,
    CASE WHEN OLD."scoreDate" IS DISTINCT FROM NEW."scoreDate" THEN 'scoreDate' END,
    CASE WHEN OLD."scoreScaleId" IS DISTINCT FROM NEW."scoreScaleId" THEN 'scoreScale' END,
    CASE WHEN OLD."scorePercentile" IS DISTINCT FROM NEW."scorePercentile" THEN 'scorePercentile' END,
    CASE WHEN OLD."scoreStatus" IS DISTINCT FROM NEW."scoreStatus" THEN 'scoreStatus' END,
    CASE WHEN OLD."comment" IS DISTINCT FROM NEW."comment" THEN 'comment' END,
    CASE WHEN OLD."learningObjectiveSet" IS DISTINCT FROM NEW."learningObjectiveSet" THEN 'learningObjectiveSet' END,
    CASE WHEN OLD."inProgress" IS DISTINCT FROM NEW."inProgress" THEN 'inProgress' END,
    CASE WHEN OLD."incomplete" IS DISTINCT FROM NEW."incomplete" THEN 'incomplete' END,
    CASE WHEN OLD."late" IS DISTINCT FROM NEW."late" THEN 'late' END,
    CASE WHEN OLD."missing" IS DISTINCT FROM NEW."missing" THEN 'missing' END,
    CASE WHEN OLD."createdAt" IS DISTINCT FROM NEW."createdAt" THEN 'createdAt' END
  ], NULL);
BEGIN
  INSERT INTO "Revision" ("organisationId", "assessmentResultId", "version", "changedPaths", "actor", "changedAt")
  VALUES (NEW."organisationId", NEW."id", NEW."version", paths, NEW."changedBy", NEW."updatedAt");
  RETURN NULL;
END $$;

CREATE TRIGGER "AssessmentResult_revision" AFTER INSERT OR UPDATE ON "AssessmentResult" FOR EACH ROW EXECUTE FUNCTION record_assessment_result_revision();

-- Ranges and states.
ALTER TABLE "Revision" ADD CONSTRAINT "Revision_one_subject" CHECK (num_nonnulls("assessmentId", "assessmentRecordId", "assessmentResultId") = 1);

ALTER TABLE "AssessmentTemplate"
  ADD CONSTRAINT "AssessmentTemplate_validityDays" CHECK ("validityDays" BETWEEN 1 AND 36500),
  ADD CONSTRAINT "AssessmentTemplate_sections" CHECK (jsonb_typeof("sections") = 'array'),
  ADD CONSTRAINT "AssessmentTemplate_workflowSteps" CHECK (cardinality("workflowSteps") > 0);

ALTER TABLE "Assessment"
  ADD CONSTRAINT "Assessment_progress" CHECK ("progress" BETWEEN 0 AND 100),
  ADD CONSTRAINT "Assessment_risk" CHECK (
    "overallRiskScore" IS NULL AND "overallRiskLevel" IS NULL
    OR "status" = 'COMPLETE' AND "overallRiskScore" BETWEEN 0 AND 100 AND "overallRiskLevel" IS NOT NULL
      AND "overallRiskLevel" = CASE
        WHEN "overallRiskScore" < 25 THEN 'LOW'
        WHEN "overallRiskScore" < 50 THEN 'MODERATE'
        WHEN "overallRiskScore" < 75 THEN 'HIGH'
        ELSE 'CRITICAL' END::"RiskLevel"
  ),
  ADD CONSTRAINT "Assessment_workflow" CHECK (
    ("workflowState" = 'ERROR') = ("workflowErrorType" IS NOT NULL)
    AND ("workflowErrorType" IS NULL) = ("workflowErrorMessage" IS NULL)
    AND ("workflowState" <> 'ACTIVE' OR "workflowStep" IS NOT NULL)
  ),
  ADD CONSTRAINT "Assessment_sections" CHECK (jsonb_typeof("sections") = 'array');

ALTER TABLE "AssessmentRecord"
  ADD CONSTRAINT "AssessmentRecord_assessed" CHECK ("status" = 'PENDING' OR "assessmentDate" IS NOT NULL),
  ADD CONSTRAINT "AssessmentRecord_expiry" CHECK ("expiresAt" IS NULL OR "status" = 'PASSED');

ALTER TABLE "AssessmentLineItem"
  ADD CONSTRAINT "AssessmentLineItem_bounds" CHECK ("resultValueMin" <= "resultValueMax");

ALTER TABLE "AssessmentResult"
  ADD CONSTRAINT "AssessmentResult_scorePercentile" CHECK ("scorePercentile" BETWEEN 0 AND 100),
  ADD CONSTRAINT "AssessmentResult_sourcedId" CHECK (char_length("sourcedId") BETWEEN 1 AND 255),
  ADD CONSTRAINT "AssessmentResult_learningObjectiveSet" CHECK (jsonb_typeof("learningObjectiveSet") = 'array');
