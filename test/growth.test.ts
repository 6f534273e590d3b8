// What a request costs this process grows with what is asked for, and not with its square.
import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { callsDuring } from './calls.js'
import { ask, tellExchangesOfFailedTests } from './exchanges.js'
import { db } from './gateway.js'
import { anOrganisation, OPTIONS, type Story } from './story.js'

tellExchangesOfFailedTests()

interface Case {
  /** How many things the smaller request is about; the larger one is about ten times as many. */
  size: number
  /** Makes what a request about `size` things needs. */
  arrange(org: Story, size: number): Promise<{ query: string; variables?: object; answer: object }>
}

const cases: Record<string, Case> = {
  'the histories of rows on one page': {
    size: 10,
    async arrange(org, size) {
      const VERSIONS = 10
      const [user, definition] = [await org.user(), await org.template()]
      await db.assessmentRecord.createMany({
        data: Array.from({ length: size }, () => ({
          organisationId: org.id,
          sourcedId: randomUUID(),
          status: 'PENDING' as const,
          userId: user.id,
          assessmentDefinitionId: definition.id,
          changedBy: 'system:test',
        })),
      })
      for (let version = 2; version <= VERSIONS; version += 1) {
        await db.$executeRaw`UPDATE "AssessmentRecord" SET "version" = "version" + 1 WHERE "organisationId" = ${org.id}::uuid`
      }
      const history = { nodes: Array.from({ length: VERSIONS }, (_, index) => ({ version: VERSIONS - index })) }
      return {
        query: `{ assessmentRecords(first: ${size}) { nodes { history { nodes { version } } } } }`,
        answer: { assessmentRecords: { nodes: Array.from({ length: size }, () => ({ history })) } },
      }
    },
  },

  'the terms of an order': {
    size: 200,
    async arrange(org, size) {
      const { id } = await org.assessment()
      const term = (field: string) => Array.from({ length: size / 2 }, () => ({ field, direction: 'ASC' }))
      return {
        query: 'query ($orderBy: [AssessmentOrder!]) { assessments(orderBy: $orderBy) { nodes { id } } }',
        variables: { orderBy: [...term('NAME'), ...term('CREATED_AT')] },
        answer: { assessments: { nodes: [{ id }] } },
      }
    },
  },

  'the ids of assessments to refresh, with their versions': {
    size: 100,
    arrange(_org, size) {
      const ids = Array.from({ length: size }, () => randomUUID())
      return Promise.resolve({
        query: `mutation ($ids: [ID!], $expected: [ExpectedVersionInput!]) {
          refreshAssessments(assessmentIds: $ids, expectedVersions: $expected) { ... on ForbiddenError { ids } }
        }`,
        variables: { ids, expected: ids.map((id) => ({ id, expectedVersion: 1 })) },
        answer: { refreshAssessments: { ids } },
      })
    },
  },

  'the deleted questions of an assessment to refresh': {
    size: 50,
    async arrange(org, size) {
      const [entity, template, { qid }] = [await org.entity(), await org.template(), await org.question({ deleted: true })]
      const spare = { organisationId: org.id, text: 'How risky?', topic: 'risk', difficulty: 'EASY' as const, options: OPTIONS }
      await db.question.createMany({ data: Array.from({ length: size }, () => ({ ...spare, sourcedId: randomUUID() })) })
      const gone = { qid, revision: 1, text: 'Gone?', topic: 'risk', difficulty: 'EASY', options: OPTIONS, answerKey: null }
      await db.assessment.create({
        data: {
          organisationId: org.id,
          name: 'Old',
          entityId: entity.id,
          templateId: template.id,
          templateType: template.type,
          workflowState: 'ACTIVE',
          workflowStep: 'collect',
          sections: [{ title: 'Risk', questions: Array.from({ length: size }, () => ({ ...gone, id: randomUUID() })) }],
          changedBy: 'system:test',
        },
      })
      return {
        query: 'mutation { refreshAssessments { ... on RefreshAssessmentsSuccess { details { deletedQuestionsReplaced } } } }',
        answer: { refreshAssessments: { details: [{ deletedQuestionsReplaced: size }] } },
      }
    },
  },
}

describe.each(Object.entries(cases))('%s', (_name, { size, arrange }) => {
  /** How much code runs for a request about that many things. */
  async function workFor(things: number): Promise<number> {
    const org = await anOrganisation()
    const { query, variables, answer } = await arrange(org, things)
    return callsDuring(async () => {
      const { data, errors } = await ask(org.key, query, variables)
      expect(errors).toBeUndefined()
      expect(data).toEqual(answer)
    })
  }

  test('take at most about ten times as much work when there are ten times as many', async () => {
    // What is done once for a document is done before.
    await workFor(size)
    const [few, many] = [await workFor(size), await workFor(10 * size)]
    expect(many / few).toBeLessThan(11)
  })
})
