-- Substring search over names needs trigram indexes.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- CreateEnum
CREATE TYPE "Scope" AS ENUM ('ASSESSMENTS_READ', 'ASSESSMENTS_WRITE', 'RECORDS_READ', 'RECORDS_WRITE', 'RESULTS_READ', 'RESULTS_WRITE');

-- CreateEnum
CREATE TYPE "QuestionDifficulty" AS ENUM ('EASY', 'MEDIUM', 'HARD');

-- CreateEnum
CREATE TYPE "AssessmentStatus" AS ENUM ('DRAFT', 'ANALYZING', 'ACTION_REQUIRED', 'COMPLETE');

-- CreateEnum
CREATE TYPE "IntakeMode" AS ENUM ('UPLOAD', 'GUIDED_INTERVIEW', 'MANUAL_ENTRY');

-- CreateEnum
CREATE TYPE "RiskLevel" AS ENUM ('LOW', 'MODERATE', 'HIGH', 'CRITICAL');

-- CreateEnum
CREATE TYPE "WorkflowState" AS ENUM ('ACTIVE', 'CANCELLED', 'ERROR');

-- CreateEnum
CREATE TYPE "AssessmentRecordStatus" AS ENUM ('PENDING', 'PASSED', 'FAILED');

-- CreateEnum
CREATE TYPE "AssessmentResultStatus" AS ENUM ('ACTIVE', 'TOBEDELETED');

-- CreateEnum
CREATE TYPE "ScoreStatus" AS ENUM ('EXEMPT', 'FULLY_GRADED', 'NOT_SUBMITTED', 'PARTIALLY_GRADED', 'SUBMITTED');

-- CreateTable
CREATE TABLE "Organisation" (
    "id" UUID NOT NULL,
    "companyId" SERIAL NOT NULL,
    "name" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Organisation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "User" (
    "id" UUID NOT NULL,
    "organisationId" UUID NOT NULL,
    "sourcedId" TEXT,
    "subject" TEXT,
    "name" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "User_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ApiKey" (
    "id" UUID NOT NULL,
    "organisationId" UUID NOT NULL,
    "userId" UUID,
    "hash" BYTEA NOT NULL,
    "scopes" "Scope"[],
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "revokedAt" TIMESTAMPTZ(3),

    CONSTRAINT "ApiKey_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Session" (
    "id" UUID NOT NULL,
    "organisationId" UUID NOT NULL,
    "userId" UUID NOT NULL,
    "hash" BYTEA NOT NULL,
    "scopes" "Scope"[],
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expiresAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Session_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Entity" (
    "id" UUID NOT NULL,
    "organisationId" UUID NOT NULL,
    "sourcedId" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "companyType" TEXT,
    "country" TEXT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Entity_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Question" (
    "id" UUID NOT NULL,
    "organisationId" UUID NOT NULL,
    "sourcedId" TEXT NOT NULL,
    "qid" SERIAL NOT NULL,
    "revision" INTEGER NOT NULL DEFAULT 1,
    "text" TEXT NOT NULL,
    "topic" TEXT NOT NULL,
    "difficulty" "QuestionDifficulty" NOT NULL,
    "options" JSONB NOT NULL,
    "deleted" BOOLEAN NOT NULL DEFAULT false,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Question_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "AssessmentTemplate" (
    "id" UUID NOT NULL,
    "organisationId" UUID NOT NULL,
    "sourcedId" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "description" TEXT,
    "validityDays" INTEGER,
    "sections" JSONB NOT NULL,
    "workflowSteps" TEXT[],
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "AssessmentTemplate_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Outcome" (
    "id" UUID NOT NULL,
    "organisationId" UUID NOT NULL,
    "templateId" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "riskLevel" "RiskLevel",

    CONSTRAINT "Outcome_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Assessment" (
    "id" UUID NOT NULL,
    "oid" SERIAL NOT NULL,
    "organisationId" UUID NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "name" TEXT NOT NULL,
    "companyName" TEXT,
    "companyType" TEXT,
    "country" TEXT,
    "status" "AssessmentStatus" NOT NULL DEFAULT 'DRAFT',
    "intakeMode" "IntakeMode" NOT NULL DEFAULT 'MANUAL_ENTRY',
    "progress" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "overallRiskScore" DOUBLE PRECISION,
    "overallRiskLevel" "RiskLevel",
    "entityId" UUID NOT NULL,
    "templateId" UUID NOT NULL,
    "templateType" TEXT NOT NULL,
    "createdById" UUID,
    "outcomeId" UUID,
    "workflowId" UUID NOT NULL,
    "workflowState" "WorkflowState" NOT NULL,
    "workflowStep" TEXT,
    "workflowErrorType" TEXT,
    "workflowErrorMessage" TEXT,
    "workflowErrorStep" TEXT,
    "workflowErrorDetails" JSONB,
    "sections" JSONB NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "changedBy" TEXT NOT NULL,

    CONSTRAINT "Assessment_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Folder" (
    "id" UUID NOT NULL,
    "organisationId" UUID NOT NULL,
    "sourcedId" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Folder_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "AssessmentRecord" (
    "id" UUID NOT NULL,
    "organisationId" UUID NOT NULL,
    "sourcedId" TEXT NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "status" "AssessmentRecordStatus" NOT NULL,
    "assessmentDate" TIMESTAMPTZ(3),
    "expiresAt" TIMESTAMPTZ(3),
    "userId" UUID NOT NULL,
    "assessmentDefinitionId" UUID NOT NULL,
    "assessorId" UUID,
    "folderId" UUID,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "changedBy" TEXT NOT NULL,

    CONSTRAINT "AssessmentRecord_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ScoreScale" (
    "id" UUID NOT NULL,
    "organisationId" UUID NOT NULL,
    "sourcedId" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "values" JSONB NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ScoreScale_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "AssessmentLineItem" (
    "id" UUID NOT NULL,
    "organisationId" UUID NOT NULL,
    "sourcedId" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "description" TEXT,
    "resultValueMin" DOUBLE PRECISION,
    "resultValueMax" DOUBLE PRECISION,
    "scoreScaleId" UUID,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "AssessmentLineItem_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "AssessmentResult" (
    "id" UUID NOT NULL,
    "organisationId" UUID NOT NULL,
    "sourcedId" TEXT NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "status" "AssessmentResultStatus" NOT NULL,
    "metadata" JSONB,
    "assessmentLineItemId" UUID NOT NULL,
    "studentId" UUID NOT NULL,
    "score" DOUBLE PRECISION,
    "textScore" TEXT,
    "scoreDate" TIMESTAMPTZ(3) NOT NULL,
    "scoreScaleId" UUID,
    "scorePercentile" DOUBLE PRECISION,
    "scoreStatus" "ScoreStatus" NOT NULL,
    "comment" TEXT,
    "learningObjectiveSet" JSONB NOT NULL DEFAULT '[]',
    "inProgress" BOOLEAN,
    "incomplete" BOOLEAN,
    "late" BOOLEAN,
    "missing" BOOLEAN,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "changedBy" TEXT NOT NULL,

    CONSTRAINT "AssessmentResult_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Revision" (
    "id" BIGSERIAL NOT NULL,
    "organisationId" UUID NOT NULL,
    "assessmentId" UUID,
    "assessmentRecordId" UUID,
    "assessmentResultId" UUID,
    "version" INTEGER NOT NULL,
    "changedPaths" TEXT[],
    "actor" TEXT NOT NULL,
    "changedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Revision_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "Organisation_companyId_key" ON "Organisation"("companyId");

-- CreateIndex
CREATE INDEX "User_organisationId_createdAt_id_idx" ON "User"("organisationId", "createdAt", "id");

-- CreateIndex
CREATE INDEX "User_name_idx" ON "User" USING GIN ("name" gin_trgm_ops);

-- CreateIndex
CREATE UNIQUE INDEX "User_organisationId_id_key" ON "User"("organisationId", "id");

-- CreateIndex
CREATE UNIQUE INDEX "User_organisationId_sourcedId_key" ON "User"("organisationId", "sourcedId");

-- CreateIndex
CREATE UNIQUE INDEX "User_organisationId_subject_key" ON "User"("organisationId", "subject");

-- CreateIndex
CREATE UNIQUE INDEX "ApiKey_hash_key" ON "ApiKey"("hash");

-- CreateIndex
CREATE INDEX "ApiKey_organisationId_userId_idx" ON "ApiKey"("organisationId", "userId");

-- CreateIndex
CREATE UNIQUE INDEX "Session_hash_key" ON "Session"("hash");

-- CreateIndex
CREATE INDEX "Session_organisationId_userId_idx" ON "Session"("organisationId", "userId");

-- CreateIndex
CREATE INDEX "Entity_organisationId_createdAt_id_idx" ON "Entity"("organisationId", "createdAt", "id");

-- CreateIndex
CREATE INDEX "Entity_organisationId_name_id_idx" ON "Entity"("organisationId", "name", "id");

-- CreateIndex
CREATE INDEX "Entity_organisationId_country_idx" ON "Entity"("organisationId", "country");

-- CreateIndex
CREATE INDEX "Entity_name_idx" ON "Entity" USING GIN ("name" gin_trgm_ops);

-- CreateIndex
CREATE UNIQUE INDEX "Entity_organisationId_id_key" ON "Entity"("organisationId", "id");

-- CreateIndex
CREATE UNIQUE INDEX "Entity_organisationId_sourcedId_key" ON "Entity"("organisationId", "sourcedId");

-- CreateIndex
CREATE UNIQUE INDEX "Question_qid_key" ON "Question"("qid");

-- CreateIndex
CREATE INDEX "Question_organisationId_topic_difficulty_qid_idx" ON "Question"("organisationId", "topic", "difficulty", "qid");

-- CreateIndex
CREATE UNIQUE INDEX "Question_organisationId_sourcedId_key" ON "Question"("organisationId", "sourcedId");

-- CreateIndex
CREATE INDEX "AssessmentTemplate_organisationId_createdAt_id_idx" ON "AssessmentTemplate"("organisationId", "createdAt", "id");

-- CreateIndex
CREATE INDEX "AssessmentTemplate_organisationId_name_id_idx" ON "AssessmentTemplate"("organisationId", "name", "id");

-- CreateIndex
CREATE INDEX "AssessmentTemplate_organisationId_type_idx" ON "AssessmentTemplate"("organisationId", "type");

-- CreateIndex
CREATE INDEX "AssessmentTemplate_name_idx" ON "AssessmentTemplate" USING GIN ("name" gin_trgm_ops);

-- CreateIndex
CREATE UNIQUE INDEX "AssessmentTemplate_organisationId_id_key" ON "AssessmentTemplate"("organisationId", "id");

-- CreateIndex
CREATE UNIQUE INDEX "AssessmentTemplate_organisationId_id_type_key" ON "AssessmentTemplate"("organisationId", "id", "type");

-- CreateIndex
CREATE UNIQUE INDEX "AssessmentTemplate_organisationId_sourcedId_key" ON "AssessmentTemplate"("organisationId", "sourcedId");

-- CreateIndex
CREATE UNIQUE INDEX "Outcome_organisationId_templateId_id_key" ON "Outcome"("organisationId", "templateId", "id");

-- CreateIndex
CREATE UNIQUE INDEX "Outcome_organisationId_templateId_name_key" ON "Outcome"("organisationId", "templateId", "name");

-- CreateIndex
CREATE UNIQUE INDEX "Outcome_organisationId_templateId_riskLevel_key" ON "Outcome"("organisationId", "templateId", "riskLevel");

-- CreateIndex
CREATE UNIQUE INDEX "Assessment_oid_key" ON "Assessment"("oid");

-- CreateIndex
CREATE INDEX "Assessment_organisationId_createdAt_id_idx" ON "Assessment"("organisationId", "createdAt", "id");

-- CreateIndex
CREATE INDEX "Assessment_organisationId_updatedAt_id_idx" ON "Assessment"("organisationId", "updatedAt", "id");

-- CreateIndex
CREATE INDEX "Assessment_organisationId_name_id_idx" ON "Assessment"("organisationId", "name", "id");

-- CreateIndex
CREATE INDEX "Assessment_organisationId_overallRiskScore_id_idx" ON "Assessment"("organisationId", "overallRiskScore", "id");

-- CreateIndex
CREATE INDEX "Assessment_overallRiskScore_desc_idx" ON "Assessment"("organisationId", "overallRiskScore" DESC NULLS LAST, "id" DESC);

-- CreateIndex
CREATE INDEX "Assessment_organisationId_status_idx" ON "Assessment"("organisationId", "status");

-- CreateIndex
CREATE INDEX "Assessment_organisationId_overallRiskLevel_idx" ON "Assessment"("organisationId", "overallRiskLevel");

-- CreateIndex
CREATE INDEX "Assessment_organisationId_workflowState_idx" ON "Assessment"("organisationId", "workflowState");

-- CreateIndex
CREATE INDEX "Assessment_organisationId_entityId_createdAt_id_idx" ON "Assessment"("organisationId", "entityId", "createdAt", "id");

-- CreateIndex
CREATE INDEX "Assessment_organisationId_templateId_createdAt_id_idx" ON "Assessment"("organisationId", "templateId", "createdAt", "id");

-- CreateIndex
CREATE INDEX "Assessment_organisationId_createdById_idx" ON "Assessment"("organisationId", "createdById");

-- CreateIndex
CREATE INDEX "Assessment_name_idx" ON "Assessment" USING GIN ("name" gin_trgm_ops);

-- CreateIndex
CREATE INDEX "Assessment_companyName_idx" ON "Assessment" USING GIN ("companyName" gin_trgm_ops);

-- CreateIndex
CREATE UNIQUE INDEX "Assessment_organisationId_id_key" ON "Assessment"("organisationId", "id");

-- CreateIndex
CREATE UNIQUE INDEX "Assessment_open_key" ON "Assessment"("organisationId", "entityId", "templateType") WHERE (status <> 'COMPLETE' AND "workflowState" = 'ACTIVE');

-- CreateIndex
CREATE UNIQUE INDEX "Folder_organisationId_id_key" ON "Folder"("organisationId", "id");

-- CreateIndex
CREATE UNIQUE INDEX "Folder_organisationId_sourcedId_key" ON "Folder"("organisationId", "sourcedId");

-- CreateIndex
CREATE INDEX "AssessmentRecord_organisationId_updatedAt_id_idx" ON "AssessmentRecord"("organisationId", "updatedAt", "id");

-- CreateIndex
CREATE INDEX "AssessmentRecord_organisationId_assessmentDate_id_idx" ON "AssessmentRecord"("organisationId", "assessmentDate", "id");

-- CreateIndex
CREATE INDEX "AssessmentRecord_assessmentDate_desc_idx" ON "AssessmentRecord"("organisationId", "assessmentDate" DESC NULLS LAST, "id" DESC);

-- CreateIndex
CREATE INDEX "AssessmentRecord_organisationId_expiresAt_id_idx" ON "AssessmentRecord"("organisationId", "expiresAt", "id");

-- CreateIndex
CREATE INDEX "AssessmentRecord_expiresAt_desc_idx" ON "AssessmentRecord"("organisationId", "expiresAt" DESC NULLS LAST, "id" DESC);

-- CreateIndex
CREATE INDEX "AssessmentRecord_organisationId_status_idx" ON "AssessmentRecord"("organisationId", "status");

-- CreateIndex
CREATE INDEX "AssessmentRecord_organisationId_userId_idx" ON "AssessmentRecord"("organisationId", "userId");

-- CreateIndex
CREATE INDEX "AssessmentRecord_organisationId_assessorId_idx" ON "AssessmentRecord"("organisationId", "assessorId");

-- CreateIndex
CREATE INDEX "AssessmentRecord_organisationId_folderId_idx" ON "AssessmentRecord"("organisationId", "folderId");

-- CreateIndex
CREATE INDEX "AssessmentRecord_organisationId_assessmentDefinitionId_upda_idx" ON "AssessmentRecord"("organisationId", "assessmentDefinitionId", "updatedAt", "id");

-- CreateIndex
CREATE UNIQUE INDEX "AssessmentRecord_organisationId_id_key" ON "AssessmentRecord"("organisationId", "id");

-- CreateIndex
CREATE UNIQUE INDEX "AssessmentRecord_organisationId_sourcedId_key" ON "AssessmentRecord"("organisationId", "sourcedId");

-- CreateIndex
CREATE UNIQUE INDEX "ScoreScale_organisationId_id_key" ON "ScoreScale"("organisationId", "id");

-- CreateIndex
CREATE UNIQUE INDEX "ScoreScale_organisationId_sourcedId_key" ON "ScoreScale"("organisationId", "sourcedId");

-- CreateIndex
CREATE INDEX "AssessmentLineItem_organisationId_createdAt_id_idx" ON "AssessmentLineItem"("organisationId", "createdAt", "id");

-- CreateIndex
CREATE INDEX "AssessmentLineItem_organisationId_scoreScaleId_idx" ON "AssessmentLineItem"("organisationId", "scoreScaleId");

-- CreateIndex
CREATE INDEX "AssessmentLineItem_title_idx" ON "AssessmentLineItem" USING GIN ("title" gin_trgm_ops);

-- CreateIndex
CREATE UNIQUE INDEX "AssessmentLineItem_organisationId_id_key" ON "AssessmentLineItem"("organisationId", "id");

-- CreateIndex
CREATE UNIQUE INDEX "AssessmentLineItem_organisationId_sourcedId_key" ON "AssessmentLineItem"("organisationId", "sourcedId");

-- CreateIndex
CREATE INDEX "AssessmentResult_organisationId_updatedAt_id_idx" ON "AssessmentResult"("organisationId", "updatedAt", "id");

-- CreateIndex
CREATE INDEX "AssessmentResult_organisationId_scoreDate_id_idx" ON "AssessmentResult"("organisationId", "scoreDate", "id");

-- CreateIndex
CREATE INDEX "AssessmentResult_organisationId_score_id_idx" ON "AssessmentResult"("organisationId", "score", "id");

-- CreateIndex
CREATE INDEX "AssessmentResult_score_desc_idx" ON "AssessmentResult"("organisationId", "score" DESC NULLS LAST, "id" DESC);

-- CreateIndex
CREATE INDEX "AssessmentResult_organisationId_status_idx" ON "AssessmentResult"("organisationId", "status");

-- CreateIndex
CREATE INDEX "AssessmentResult_organisationId_scoreStatus_idx" ON "AssessmentResult"("organisationId", "scoreStatus");

-- CreateIndex
CREATE INDEX "AssessmentResult_organisationId_studentId_idx" ON "AssessmentResult"("organisationId", "studentId");

-- CreateIndex
CREATE INDEX "AssessmentResult_organisationId_scoreScaleId_idx" ON "AssessmentResult"("organisationId", "scoreScaleId");

-- CreateIndex
CREATE INDEX "AssessmentResult_organisationId_assessmentLineItemId_update_idx" ON "AssessmentResult"("organisationId", "assessmentLineItemId", "updatedAt", "id");

-- CreateIndex
CREATE UNIQUE INDEX "AssessmentResult_organisationId_id_key" ON "AssessmentResult"("organisationId", "id");

-- CreateIndex
CREATE UNIQUE INDEX "AssessmentResult_organisationId_sourcedId_key" ON "AssessmentResult"("organisationId", "sourcedId");

-- CreateIndex
CREATE UNIQUE INDEX "Revision_organisationId_assessmentId_version_key" ON "Revision"("organisationId", "assessmentId", "version") WHERE ("assessmentId" IS NOT NULL);

-- CreateIndex
CREATE UNIQUE INDEX "Revision_organisationId_assessmentRecordId_version_key" ON "Revision"("organisationId", "assessmentRecordId", "version") WHERE ("assessmentRecordId" IS NOT NULL);

-- CreateIndex
CREATE UNIQUE INDEX "Revision_organisationId_assessmentResultId_version_key" ON "Revision"("organisationId", "assessmentResultId", "version") WHERE ("assessmentResultId" IS NOT NULL);

-- AddForeignKey
ALTER TABLE "User" ADD CONSTRAINT "User_organisationId_fkey" FOREIGN KEY ("organisationId") REFERENCES "Organisation"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "ApiKey" ADD CONSTRAINT "ApiKey_organisationId_fkey" FOREIGN KEY ("organisationId") REFERENCES "Organisation"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "ApiKey" ADD CONSTRAINT "ApiKey_organisationId_userId_fkey" FOREIGN KEY ("organisationId", "userId") REFERENCES "User"("organisationId", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "Session" ADD CONSTRAINT "Session_organisationId_fkey" FOREIGN KEY ("organisationId") REFERENCES "Organisation"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "Session" ADD CONSTRAINT "Session_organisationId_userId_fkey" FOREIGN KEY ("organisationId", "userId") REFERENCES "User"("organisationId", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "Entity" ADD CONSTRAINT "Entity_organisationId_fkey" FOREIGN KEY ("organisationId") REFERENCES "Organisation"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "Question" ADD CONSTRAINT "Question_organisationId_fkey" FOREIGN KEY ("organisationId") REFERENCES "Organisation"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "AssessmentTemplate" ADD CONSTRAINT "AssessmentTemplate_organisationId_fkey" FOREIGN KEY ("organisationId") REFERENCES "Organisation"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "Outcome" ADD CONSTRAINT "Outcome_organisationId_templateId_fkey" FOREIGN KEY ("organisationId", "templateId") REFERENCES "AssessmentTemplate"("organisationId", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "Assessment" ADD CONSTRAINT "Assessment_organisationId_fkey" FOREIGN KEY ("organisationId") REFERENCES "Organisation"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "Assessment" ADD CONSTRAINT "Assessment_organisationId_entityId_fkey" FOREIGN KEY ("organisationId", "entityId") REFERENCES "Entity"("organisationId", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "Assessment" ADD CONSTRAINT "Assessment_organisationId_templateId_templateType_fkey" FOREIGN KEY ("organisationId", "templateId", "templateType") REFERENCES "AssessmentTemplate"("organisationId", "id", "type") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "Assessment" ADD CONSTRAINT "Assessment_organisationId_createdById_fkey" FOREIGN KEY ("organisationId", "createdById") REFERENCES "User"("organisationId", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "Assessment" ADD CONSTRAINT "Assessment_organisationId_templateId_outcomeId_fkey" FOREIGN KEY ("organisationId", "templateId", "outcomeId") REFERENCES "Outcome"("organisationId", "templateId", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "Folder" ADD CONSTRAINT "Folder_organisationId_fkey" FOREIGN KEY ("organisationId") REFERENCES "Organisation"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "AssessmentRecord" ADD CONSTRAINT "AssessmentRecord_organisationId_fkey" FOREIGN KEY ("organisationId") REFERENCES "Organisation"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "AssessmentRecord" ADD CONSTRAINT "AssessmentRecord_organisationId_userId_fkey" FOREIGN KEY ("organisationId", "userId") REFERENCES "User"("organisationId", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "AssessmentRecord" ADD CONSTRAINT "AssessmentRecord_organisationId_assessmentDefinitionId_fkey" FOREIGN KEY ("organisationId", "assessmentDefinitionId") REFERENCES "AssessmentTemplate"("organisationId", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "AssessmentRecord" ADD CONSTRAINT "AssessmentRecord_organisationId_assessorId_fkey" FOREIGN KEY ("organisationId", "assessorId") REFERENCES "User"("organisationId", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "AssessmentRecord" ADD CONSTRAINT "AssessmentRecord_organisationId_folderId_fkey" FOREIGN KEY ("organisationId", "folderId") REFERENCES "Folder"("organisationId", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "ScoreScale" ADD CONSTRAINT "ScoreScale_organisationId_fkey" FOREIGN KEY ("organisationId") REFERENCES "Organisation"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "AssessmentLineItem" ADD CONSTRAINT "AssessmentLineItem_organisationId_fkey" FOREIGN KEY ("organisationId") REFERENCES "Organisation"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "AssessmentLineItem" ADD CONSTRAINT "AssessmentLineItem_organisationId_scoreScaleId_fkey" FOREIGN KEY ("organisationId", "scoreScaleId") REFERENCES "ScoreScale"("organisationId", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "AssessmentResult" ADD CONSTRAINT "AssessmentResult_organisationId_fkey" FOREIGN KEY ("organisationId") REFERENCES "Organisation"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "AssessmentResult" ADD CONSTRAINT "AssessmentResult_organisationId_assessmentLineItemId_fkey" FOREIGN KEY ("organisationId", "assessmentLineItemId") REFERENCES "AssessmentLineItem"("organisationId", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "AssessmentResult" ADD CONSTRAINT "AssessmentResult_organisationId_studentId_fkey" FOREIGN KEY ("organisationId", "studentId") REFERENCES "User"("organisationId", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "AssessmentResult" ADD CONSTRAINT "AssessmentResult_organisationId_scoreScaleId_fkey" FOREIGN KEY ("organisationId", "scoreScaleId") REFERENCES "ScoreScale"("organisationId", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "Revision" ADD CONSTRAINT "Revision_organisationId_assessmentId_fkey" FOREIGN KEY ("organisationId", "assessmentId") REFERENCES "Assessment"("organisationId", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "Revision" ADD CONSTRAINT "Revision_organisationId_assessmentRecordId_fkey" FOREIGN KEY ("organisationId", "assessmentRecordId") REFERENCES "AssessmentRecord"("organisationId", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "Revision" ADD CONSTRAINT "Revision_organisationId_assessmentResultId_fkey" FOREIGN KEY ("organisationId", "assessmentResultId") REFERENCES "AssessmentResult"("organisationId", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;
