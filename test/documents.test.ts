// The sample requests of the five published APIs, translated, and what their documentation promises.
import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createSession } from '../src/organisations/service.js'
import { isFailure } from '../src/domain/failures.js'
import { bodyOf, dataOf, db, logged, post } from './gateway.js'
import { anOrganisation, type Story } from './story.js'

const timestamp = z.iso.datetime()

/** The answer of a request by API key, whatever it is, for comparing. */
async function answerTo(org: Story, query: string, variables: object): Promise<unknown> {
  return bodyOf(await post({ apikey: org.key }, query, variables))
}

async function answerQuestions(org: Story, id: string, answers: { questionId: string | undefined; optionKey: string }[]) {
  const mutation = `mutation ($id: ID!, $answers: [AnswerInput!]!) { answerAssessmentQuestions(id: $id, answers: $answers) { __typename } }`
  const done = z.object({ answerAssessmentQuestions: z.object({ __typename: z.literal('AnswerAssessmentQuestionsSuccess') }) })
  await org.dataOf(done, mutation, { id, answers })
}

describe('assessments API', () => {
  const UPDATE = `mutation ($id: ID!, $version: Int, $input: UpdateAssessmentInput!) {
    updateAssessment(id: $id, expectedVersion: $version, input: $input) {
      __typename
      ... on UpdateAssessmentSuccess {
        assessment {
          id name companyName companyType country status intakeMode progress version overallRiskScore overallRiskLevel
          createdBy { subject } createdAt updatedAt
        }
      }
      ... on ConflictError { expectedVersion actualVersion changedPaths current { ... on Assessment { id version status progress } } }
      ... on NotFoundError { ids }
    }
  }`
  const success = z.object({
    updateAssessment: z.object({
      __typename: z.literal('UpdateAssessmentSuccess'),
      assessment: z.looseObject({ version: z.number(), createdAt: timestamp, updatedAt: timestamp }),
    }),
  })

  async function update(org: Story, id: string, input: object, version?: number) {
    return (await org.dataOf(success, UPDATE, { id, version, input })).updateAssessment.assessment
  }

  // The two sample requests.
  const SIMPLE = { name: 'Updated Assessment Name', progress: 50 }
  const LOCKED = { status: 'COMPLETE', progress: 100 }

  /** The assessment of the document, whose answers have a mean risk score of 38.5. */
  async function documented() {
    const org = await anOrganisation()
    await org.user({ subject: 'auth0|123456789' })
    await org.question({ options: [{ key: 'yes', label: 'Yes', riskScore: 7 }] })
    await org.question({ options: [{ key: 'yes', label: 'Yes', riskScore: 70 }] })
    const entity = await org.entity({ name: 'Acme Coffee Cooperative', companyType: 'Cooperative', country: 'Kenya' })
    const input = { entityId: entity.id, templateId: (await org.template()).id, intakeMode: 'UPLOAD' }
    const { createAssessment } = await dataOf(
      z.object({
        createAssessment: z.object({
          assessment: z.object({ id: z.uuid(), sections: z.array(z.object({ questions: z.array(z.object({ id: z.string() })) })) }),
        }),
      }),
      await org.keyWith(['ASSESSMENTS_WRITE'], 'auth0|123456789'),
      `mutation ($input: CreateAssessmentInput!) {
        createAssessment(input: $input) { ... on CreateAssessmentSuccess { assessment { id sections { questions { id } } } } }
      }`,
      { input },
    )
    const { id, sections } = createAssessment.assessment
    await answerQuestions(org, id, sections.flatMap(({ questions }) => questions.map((it) => ({ questionId: it.id, optionKey: 'yes' }))))
    return { org, id }
  }

  it('answers its samples as documented: a simple update, and one of version 3 that gives version 4', async () => {
    const { org, id } = await documented()

    const simple = await update(org, id, SIMPLE)
    expect(simple).toMatchObject({ ...SIMPLE, status: 'DRAFT', version: 3, overallRiskScore: null, overallRiskLevel: null })

    const locked = await update(org, id, LOCKED, 3)
    expect(locked).toEqual({
      id,
      name: 'Updated Assessment Name',
      companyName: 'Acme Coffee Cooperative',
      companyType: 'Cooperative',
      country: 'Kenya',
      status: 'COMPLETE',
      intakeMode: 'UPLOAD',
      progress: 100,
      version: 4,
      overallRiskScore: 38.5,
      overallRiskLevel: 'MODERATE',
      createdBy: { subject: 'auth0|123456789' },
      createdAt: simple.createdAt,
      updatedAt: locked.updatedAt,
    })
  })

  it('answers the same version again with a conflict, which tells what to merge and send next', async () => {
    const { org, id } = await documented()
    await update(org, id, SIMPLE)
    await update(org, id, LOCKED, 3)
    expect(await answerTo(org, UPDATE, { id, version: 3, input: LOCKED })).toEqual({
      data: {
        updateAssessment: {
          __typename: 'ConflictError',
          expectedVersion: 3,
          actualVersion: 4,
          changedPaths: ['status', 'progress', 'overallRiskScore', 'overallRiskLevel'],
          current: { id, version: 4, status: 'COMPLETE', progress: 100 },
        },
      },
    })
    expect(await update(org, id, LOCKED, 4)).toMatchObject({ version: 5 })
  })

  it('always takes an update without a version, unless there is no such assessment', async () => {
    const { org, id } = await documented()
    for (const version of [3, 4, 5]) expect(await update(org, id, SIMPLE)).toMatchObject({ version })
    const unknown = '550e8400-e29b-41d4-a716-446655440000'
    expect(await answerTo(org, UPDATE, { id: unknown, input: SIMPLE })).toEqual({
      data: { updateAssessment: { __typename: 'NotFoundError', ids: [unknown] } },
    })
  })
})

describe('refresh API', () => {
  const SELECTION = `
    __typename
    ... on RefreshAssessmentsSuccess {
      message organisation { companyId } assessmentsUpdated
      details {
        assessment { oid name }
        totalQuestions questionsRefreshed refreshedQids
        deletedQuestionsReplaced replacements { oldQid newQid }
        deletedQuestionsNotReplaced replacementFailures { qid sectionIndex questionIndex reason }
        status
      }
    }
    ... on ForbiddenError { message ids }`
  const REFRESH = `mutation ($assessmentIds: [ID!]) { refreshAssessments(assessmentIds: $assessmentIds) { ${SELECTION} } }`
  const success = z.object({
    refreshAssessments: z.object({
      __typename: z.literal('RefreshAssessmentsSuccess'),
      message: z.string().min(1),
      organisation: z.object({ companyId: z.int() }),
      assessmentsUpdated: z.int(),
      details: z.array(z.looseObject({ assessment: z.object({ oid: z.int(), name: z.string() }), status: z.string() })),
    }),
  })

  const refreshed = async (org: Story, assessmentIds?: unknown) => (await org.dataOf(success, REFRESH, { assessmentIds })).refreshAssessments

  /** Three assessments of two questions: one to renew, one to replace, one that can be neither. */
  async function documented() {
    const org = await anOrganisation()
    const pools = ['renewed', 'replaced', 'lost']
    const made = []
    for (const topic of pools) {
      await org.question({ topic })
      await org.question({ topic })
      const template = await org.template({ sections: [{ title: topic, topic, difficulty: 'EASY', questionCount: 2 }] })
      made.push(await org.assessment({ templateId: template.id, name: topic }))
    }
    const spare = await org.question({ topic: 'replaced' })
    const [renewed, replaced, lost] = made.map(({ oid, sections }) => ({ oid, qid: sections[0]?.questions[1]?.qid ?? 0 }))
    if (!renewed || !replaced || !lost) throw new Error('There are three assessments.')
    await db.question.update({ where: { qid: renewed.qid }, data: { text: 'Fresh', revision: 2 } })
    await db.question.updateMany({ where: { qid: { in: [replaced.qid, lost.qid] } }, data: { deleted: true } })
    return { org, renewed, replaced, lost, spare }
  }

  it('answers its sample, a list of integers, with every documented field', async () => {
    const { org, renewed, replaced, lost, spare } = await documented()
    const { companyId } = await db.organisation.findUniqueOrThrow({ where: { id: org.id } })

    const { message, details, ...rest } = await refreshed(org, [renewed.oid, replaced.oid, lost.oid])

    expect(message).toContain('3')
    expect(rest).toEqual({ __typename: 'RefreshAssessmentsSuccess', organisation: { companyId }, assessmentsUpdated: 3 })
    const nothing = {
      totalQuestions: 2,
      questionsRefreshed: 0,
      refreshedQids: [],
      deletedQuestionsReplaced: 0,
      replacements: [],
      deletedQuestionsNotReplaced: 0,
      replacementFailures: [],
    }
    const reason: unknown = expect.stringContaining('lost')
    expect(details).toEqual([
      { ...nothing, assessment: { oid: renewed.oid, name: 'renewed' }, questionsRefreshed: 1, refreshedQids: [renewed.qid], status: 'UPDATED' },
      {
        ...nothing,
        assessment: { oid: replaced.oid, name: 'replaced' },
        deletedQuestionsReplaced: 1,
        replacements: [{ oldQid: replaced.qid, newQid: spare.qid }],
        status: 'UPDATED',
      },
      {
        ...nothing,
        assessment: { oid: lost.oid, name: 'lost' },
        deletedQuestionsNotReplaced: 1,
        replacementFailures: [{ qid: lost.qid, sectionIndex: 0, questionIndex: 1, reason }],
        status: 'UNCHANGED',
      },
    ])
  })

  it('takes the integers also where they stand in the document, and one of them instead of a list', async () => {
    const { org, renewed, replaced } = await documented()
    const inline = `mutation { refreshAssessments(assessmentIds: [${replaced.oid}, ${renewed.oid}]) { ${SELECTION} } }`
    const { refreshAssessments } = await org.dataOf(success, inline)
    expect(refreshAssessments.details.map(({ assessment }) => assessment.oid)).toEqual([renewed.oid, replaced.oid])
    expect((await refreshed(org, replaced.oid)).details.map(({ assessment }) => assessment.oid)).toEqual([replaced.oid])
  })

  it.each([undefined, []])('refreshes every assessment of the company when the list is %j', async (assessmentIds) => {
    const { org, renewed, replaced, lost } = await documented()
    const { assessmentsUpdated, details } = await refreshed(org, assessmentIds)
    expect(assessmentsUpdated).toBe(3)
    expect(details.map(({ assessment }) => assessment.oid)).toEqual([renewed.oid, replaced.oid, lost.oid])
  })

  it('forbids ids that do not belong to the company or do not exist, listing them, and refreshes nothing', async () => {
    const { org, renewed } = await documented()
    const foreign = await (await anOrganisation()).assessment()
    const never = 2_147_483_647
    const answer = await answerTo(org, REFRESH, { assessmentIds: [renewed.oid, foreign.oid, never] })
    const ids = [String(foreign.oid), String(never)]
    const message: unknown = expect.stringContaining(ids.join(', '))
    expect(answer).toEqual({ data: { refreshAssessments: { __typename: 'ForbiddenError', message, ids } } })
    expect((await db.assessment.findUniqueOrThrow({ where: { oid: renewed.oid } })).version).toBe(1)
  })

  it('answers an error of its own with nothing but an id, under which the log has the cause, and refreshes nothing', async () => {
    const { org, renewed, lost } = await documented()
    await db.$executeRaw`UPDATE "Assessment" SET "sections" = '[{"title": "damaged"}]', "version" = "version" + 1 WHERE "oid" = ${lost.oid}`

    const { data, errors } = await org.request(REFRESH)

    expect(data).toEqual({ refreshAssessments: null })
    const errorId = z.uuid().parse(errors?.[0]?.extensions?.['errorId'])
    expect(errors).toEqual([
      { message: 'Unexpected error.', path: ['refreshAssessments'], extensions: { code: 'INTERNAL_SERVER_ERROR', errorId } },
    ])
    expect(logged.filter((line) => line.includes(errorId)).join()).toContain('questions')
    expect((await db.assessment.findUniqueOrThrow({ where: { oid: renewed.oid } })).version).toBe(1)
  })
})

describe('entity assessments API', () => {
  const CREATE = `mutation ($entityId: ID!, $templateId: ID!) {
    createAssessment(input: { entityId: $entityId, templateId: $templateId }) {
      __typename
      ... on CreateAssessmentSuccess {
        assessment {
          createdAt entity { id } id organisation { id } outcome { id } status template { id }
          workflow { id state error { details message step type } }
        }
      }
      ... on NotFoundError { ids }
      ... on AlreadyExistsError { existing { id } }
    }
  }`
  const success = z.object({
    createAssessment: z.object({
      __typename: z.literal('CreateAssessmentSuccess'),
      assessment: z.looseObject({
        id: z.uuid(),
        createdAt: timestamp,
        outcome: z.object({ id: z.uuid() }),
        workflow: z.looseObject({ id: z.uuid() }),
      }),
    }),
  })

  async function documented(questions = 2) {
    const org = await anOrganisation()
    for (let i = 0; i < questions; i++) await org.question()
    return { org, entityId: (await org.entity()).id, templateId: (await org.template()).id }
  }

  it('creates the assessment and starts its workflow, with every documented field', async () => {
    const { org, ...ids } = await documented()

    const { createAssessment } = await org.dataOf(success, CREATE, ids)

    const { id, createdAt, outcome, workflow } = createAssessment.assessment
    expect(createAssessment.assessment).toEqual({
      createdAt,
      entity: { id: ids.entityId },
      id,
      organisation: { id: org.id },
      outcome,
      status: 'DRAFT',
      template: { id: ids.templateId },
      workflow: { id: workflow.id, state: 'ACTIVE', error: null },
    })
    expect(await answerTo(org, 'query ($id: ID!) { outcome(id: $id) { id name } }', { id: outcome.id })).toEqual({
      data: { outcome: { id: outcome.id, name: 'Open' } },
    })
  })

  it('answers 401 without a valid key', async () => {
    const { org, ...ids } = await documented()
    const credentials: Record<string, string>[] = [{}, { apikey: 'YOUR_API_KEY' }, { apikey: '' }]
    for (const headers of credentials) {
      const response = await post(headers, CREATE, ids)
      expect(response.status).toBe(401)
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] })
    }
    expect(await db.assessment.count({ where: { organisationId: org.id } })).toBe(0)
  })

  it('answers ids that are not there with these ids', async () => {
    const { org } = await documented()
    const sample = { entityId: '8161163a-f227-466f-bc01-090a01e80165', templateId: 'c6d67e98-83ea-49f0-8812-e4abae2b68bc' }
    expect(await answerTo(org, CREATE, sample)).toEqual({
      data: { createAssessment: { __typename: 'NotFoundError', ids: [sample.entityId, sample.templateId] } },
    })
  })

  it('answers with the existing assessment when there is one for the requested template type', async () => {
    const { org, ...ids } = await documented()
    const { createAssessment } = await org.dataOf(success, CREATE, ids)
    expect(await answerTo(org, CREATE, ids)).toEqual({
      data: { createAssessment: { __typename: 'AlreadyExistsError', existing: { id: createAssessment.assessment.id } } },
    })
  })

  it('creates the assessment also when its workflow enters the Error state, and tells why', async () => {
    const { org, ...ids } = await documented(1)
    const { createAssessment } = await org.dataOf(success, CREATE, ids)
    const message: unknown = expect.stringMatching(/./)
    expect(createAssessment.assessment.workflow).toEqual({
      id: createAssessment.assessment.workflow.id,
      state: 'ERROR',
      error: {
        type: 'QUESTION_POOL_EXHAUSTED',
        message,
        step: 'collect',
        details: { sectionIndex: 0, required: 2, available: 1 },
      },
    })
    expect(await db.assessment.count({ where: { organisationId: org.id } })).toBe(1)
  })
})

describe('OneRoster gradebook', () => {
  const PUT = `mutation ($sourcedId: ID!, $input: PutAssessmentResultInput!) {
    putAssessmentResult(sourcedId: $sourcedId, input: $input) {
      __typename
      ... on PutAssessmentResultSuccess {
        created
        assessmentResult {
          status assessmentLineItem { sourcedId } student { sourcedId } scoreDate scoreStatus sourcedId dateLastModified metadata
          score textScore scoreScale { sourcedId } scorePercentile comment
          learningObjectiveSet { source learningObjectiveResults { learningObjectiveId score textScore } }
          inProgress incomplete late missing
        }
      }
      ... on NotFoundError { ids }
    }
  }`
  const success = z.object({
    putAssessmentResult: z.object({
      __typename: z.literal('PutAssessmentResultSuccess'),
      created: z.boolean(),
      assessmentResult: z.looseObject({ dateLastModified: timestamp }),
    }),
  })

  /** The sample, with a line item, a student and a scale that are there and a percentile that is one. */
  async function documented() {
    const org = await anOrganisation()
    const scale = await org.scale()
    const lineItem = await org.lineItem({ resultValueMax: 150 })
    const student = await org.user()
    const values = {
      status: 'ACTIVE',
      scoreDate: '2023-11-07T05:31:56Z',
      scoreStatus: 'EXEMPT',
      metadata: {},
      score: 123,
      textScore: 'A',
      scorePercentile: 12.3,
      comment: '<string>',
      learningObjectiveSet: [
        { source: '<string>', learningObjectiveResults: [{ learningObjectiveId: '<string>', score: 123, textScore: '<string>' }] },
      ],
      inProgress: false,
      incomplete: false,
      late: true,
      missing: false,
    }
    const references = {
      assessmentLineItemSourcedId: lineItem.sourcedId,
      studentSourcedId: student.sourcedId,
      scoreScaleSourcedId: scale.sourcedId,
    }
    const shown = {
      ...values,
      scoreDate: '2023-11-07T05:31:56.000Z',
      assessmentLineItem: { sourcedId: lineItem.sourcedId },
      student: { sourcedId: student.sourcedId },
      scoreScale: { sourcedId: scale.sourcedId },
    }
    return { org, input: { ...values, ...references }, shown }
  }

  it('creates the result under the requesting system’s sourcedId, then updates it', async () => {
    const { org, input, shown } = await documented()
    const sourcedId = randomUUID()

    const first = (await org.dataOf(success, PUT, { sourcedId, input })).putAssessmentResult
    const { dateLastModified } = first.assessmentResult
    expect(first).toMatchObject({ created: true, assessmentResult: { ...shown, sourcedId, dateLastModified } })

    const second = (await org.dataOf(success, PUT, { sourcedId, input: { ...input, scoreStatus: 'FULLY_GRADED', comment: null } })).putAssessmentResult
    expect(second).toMatchObject({ created: false, assessmentResult: { ...shown, sourcedId, scoreStatus: 'FULLY_GRADED', comment: null } })
    expect(await db.assessmentResult.count({ where: { organisationId: org.id } })).toBe(1)
  })

  it('answers references that are not there with all of them, and writes nothing', async () => {
    const { org, input } = await documented()
    const sourcedId = randomUUID()
    const bad = { assessmentLineItemSourcedId: 'no line item', studentSourcedId: 'no student', scoreScaleSourcedId: 'no scale' }
    expect(await answerTo(org, PUT, { sourcedId, input: { ...input, ...bad } })).toEqual({
      data: { putAssessmentResult: { __typename: 'NotFoundError', ids: ['no line item', 'no student', 'no scale'] } },
    })
    expect(await db.assessmentResult.count({ where: { organisationId: org.id } })).toBe(0)
  })
})

describe('assessment records API', () => {
  const UPDATE = `mutation ($id: ID!, $input: UpdateAssessmentRecordInput!) {
    updateAssessmentRecord(id: $id, input: $input) {
      __typename
      ... on UpdateAssessmentRecordSuccess {
        assessmentRecord {
          __typename id status assessmentDate expiresAt
          organisation { id } user { id } assessmentDefinition { id } assessor { id } folder { id }
        }
      }
    }
  }`

  it('answers its sample, sent with a session token, with an expiry that it derives', async () => {
    const org = await anOrganisation()
    const [officer, assessor, folder] = [await org.user({ subject: 'officer' }), await org.user(), await org.folder()]
    const record = await org.record({ assessorId: assessor.id, folderId: folder.id })
    const session = await createSession(db, { organisationId: org.id, subject: officer.subject ?? '', scopes: ['RECORDS_WRITE'], minutes: 5 })
    if (isFailure(session)) throw new Error(session.message)
    const input = { status: 'PASSED', assessmentDate: '2023-11-07T05:31:56Z' }

    const response = await post({ 'x-session-token': session.token }, UPDATE, { id: record.id, input })

    expect(response.status).toBe(200)
    expect(await bodyOf(response)).toEqual({
      data: {
        updateAssessmentRecord: {
          __typename: 'UpdateAssessmentRecordSuccess',
          assessmentRecord: {
            __typename: 'AssessmentRecord',
            id: record.id,
            status: 'PASSED',
            assessmentDate: '2023-11-07T05:31:56.000Z',
            // The definition's 365 days of 24 hours, of which a leap day is one.
            expiresAt: '2024-11-06T05:31:56.000Z',
            organisation: { id: org.id },
            user: { id: record.userId },
            assessmentDefinition: { id: record.assessmentDefinitionId },
            assessor: { id: assessor.id },
            folder: { id: folder.id },
          },
        },
      },
    })
  })
})
