-- Each revision names the request that wrote it, as the row does for its newest one.
ALTER TABLE "Assessment" ADD COLUMN "changedByRequest" TEXT;
ALTER TABLE "AssessmentRecord" ADD COLUMN "changedByRequest" TEXT;
ALTER TABLE "AssessmentResult" ADD COLUMN "changedByRequest" TEXT;
ALTER TABLE "Revision" ADD COLUMN "requestId" TEXT;

-- As before, with the request.
CREATE OR REPLACE FUNCTION record_assessment_revision() RETURNS trigger LANGUAGE plpgsql AS $$
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
  INSERT INTO "Revision" ("organisationId", "assessmentId", "version", "changedPaths", "actor", "requestId", "changedAt")
  VALUES (NEW."organisationId", NEW."id", NEW."version", paths, NEW."changedBy", NEW."changedByRequest", NEW."updatedAt");
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION record_assessment_record_revision() RETURNS trigger LANGUAGE plpgsql AS $$
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
  INSERT INTO "Revision" ("organisationId", "assessmentRecordId", "version", "changedPaths", "actor", "requestId", "changedAt")
  VALUES (NEW."organisationId", NEW."id", NEW."version", paths, NEW."changedBy", NEW."changedByRequest", NEW."updatedAt");
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION record_assessment_result_revision() RETURNS trigger LANGUAGE plpgsql AS $$
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
  INSERT INTO "Revision" ("organisationId", "assessmentResultId", "version", "changedPaths", "actor", "requestId", "changedAt")
  VALUES (NEW."organisationId", NEW."id", NEW."version", paths, NEW."changedBy", NEW."changedByRequest", NEW."updatedAt");
  RETURN NULL;
END $$;
