// How many SQL statements a document costs: the same for one row as for fifty, and no more than today.
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { ask, tellExchangesOfFailedTests } from './exchanges.js'
import { db, statementsOf } from './gateway.js'
import { anOrganisation, OPTIONS, type Story } from './story.js'

tellExchangesOfFailedTests()

/** Each of these rows has relations of its own, so that nothing is read once for many by chance. */
async function anOrganisationOf(rows: number): Promise<Story> {
  const org = await anOrganisation()
  for (let i = 0; i < rows; i += 1) {
    const user = await org.user({ name: `User ${i}` })
    const [template, entity, folder, scale] = [await org.template({ validityDays: 30 }), await org.entity(), await org.folder(), await org.scale()]
    const question = (id: number) => ({ id: crypto.randomUUID(), qid: id, revision: 1, text: 'How?', topic: 'risk', difficulty: 'EASY', options: OPTIONS, answerKey: 'some' })
    await db.assessment.create({
      data: {
        organisationId: org.id,
        name: `Assessment ${i}`,
        entityId: entity.id,
        templateId: template.id,
        templateType: template.type,
        createdById: user.id,
        outcomeId: template.outcomes[0]?.id ?? null,
        workflowState: 'ACTIVE',
        workflowStep: 'collect',
        sections: [{ title: 'Risk', questions: [question(i * 2), question(i * 2 + 1)] }],
        changedBy: 'system:test',
      },
    })
    const assessor = await org.user({ name: `Assessor ${i}` })
    await org.record({ userId: user.id, assessorId: assessor.id, assessmentDefinitionId: template.id, folderId: folder.id })
    const lineItem = await org.lineItem({ scoreScaleId: scale.id })
    await org.result({ assessmentLineItemSourcedId: lineItem.sourcedId, studentSourcedId: user.sourcedId, scoreScaleSourcedId: (await org.scale()).sourcedId })
  }
  return org
}

const HISTORY = 'history { totalCount nodes { version changedPaths actor changedAt } edges { cursor } pageInfo { hasNextPage } }'
const SECTIONS = 'sections { title questions { text options { key } answer { key } } }'

/** By what is asked: the statements that it costs, the look-up of the key among them, and the document. */
const budgets: Record<string, [statements: number, query: string]> = {
  'assessments -> template -> assessments -> entity': [
    0,
    `{ assessments(first: 50) { totalCount nodes { id template { name assessments { totalCount nodes { name entity { name } } } } } } }`,
  ],
  'assessments with every relation': [
    0,
    `{ assessments(first: 50) { edges { cursor node {
        id organisation { name } entity { name } template { name outcomes { name } sections { title } } createdBy { name } outcome { name }
        workflow { state error { type } } ${SECTIONS} ${HISTORY}
      } } pageInfo { endCursor } } }`,
  ],
  'assessments -> entity -> assessments -> template -> records -> user': [
    0,
    `{ assessments(first: 50) { nodes { entity { assessments(first: 2) { nodes { template { records(first: 2) { nodes { user { name } } } } } } } } } }`,
  ],
  'entities -> assessments -> sections, template and history': [
    0,
    `{ entities(first: 50) { totalCount nodes { name assessments { totalCount nodes { name ${SECTIONS} template { name outcomes { name } } ${HISTORY} } } } } }`,
  ],
  'entities -> assessments -> template -> assessments -> template -> outcomes': [
    0,
    `{ entities(first: 50) { nodes { assessments { nodes { template { assessments { nodes { template { outcomes { name } } } } } } } } } }`,
  ],
  'assessmentTemplates -> records -> user, assessor, folder and definition': [
    0,
    `{ assessmentTemplates(first: 50) { totalCount nodes { name outcomes { name } records { totalCount nodes {
        status isExpired user { name } assessor { name } folder { name } assessmentDefinition { name outcomes { name } records { totalCount } } ${HISTORY}
      } } } } }`,
  ],
  'assessmentTemplates -> assessments and records, twice under other names': [
    0,
    `{ assessmentTemplates(first: 50) { nodes {
        latest: assessments(first: 1) { nodes { name } } all: assessments { totalCount nodes { name ${SECTIONS} } }
        one: records(last: 1) { nodes { status } } records { nodes { status } }
      } } }`,
  ],
  'assessmentRecords with every relation': [
    0,
    `{ assessmentRecords(first: 50) { totalCount nodes {
        status user { name } assessor { name } folder { name } organisation { name } assessmentDefinition { name outcomes { name } assessments { totalCount } } ${HISTORY}
      } } }`,
  ],
  'assessmentLineItems -> results -> student and scale': [
    0,
    `{ assessmentLineItems(first: 50) { totalCount nodes { title scoreScale { title } results { totalCount nodes {
        score metadata comment learningObjectiveSet { source } student { name } scoreScale { title values { itemValueLHS } } ${HISTORY}
      } } } } }`,
  ],
  'assessmentResults -> line item -> results -> line item': [
    0,
    `{ assessmentResults(first: 50) { totalCount nodes { score student { name } scoreScale { title }
        assessmentLineItem { title scoreScale { title } results { nodes { student { name } assessmentLineItem { title } } } } ${HISTORY}
      } } }`,
  ],
  'users': [0, `{ users(first: 50) { totalCount nodes { name } } }`],
  'viewer': [0, `{ viewer { organisation { name } user { name } scopes } }`],
  'five root fields': [
    0,
    `{ viewer { scopes } assessments(first: 50) { nodes { entity { name } } } assessmentRecords(first: 50) { nodes { user { name } } }
       assessmentResults(first: 50) { nodes { student { name } } } entities(first: 50) { nodes { name } } }`,
  ],
}

describe('a query costs as many statements for 50 rows as for one', () => {
  const organisations = new Map<number, Promise<Story>>()
  const organisationOf = (rows: number) => {
    const known = organisations.get(rows) ?? anOrganisationOf(rows)
    organisations.set(rows, known)
    return known
  }

  test.each(Object.entries(budgets))('%s', async (_name, [statements, query]) => {
    for (const rows of [1, 50]) {
      const org = await organisationOf(rows)
      const sent = await statementsOf(async () => {
        const { data, errors } = await ask(org.key, query)
        expect(errors).toBeUndefined()
        if (!query.includes('viewer')) expect(JSON.stringify(data).match(/"nodes":\[\{|"edges":\[\{/g)?.length).toBeGreaterThanOrEqual(rows > 1 && query.includes('{ name assessments') ? 51 : 1)
      })
      expect({ rows, statements: sent.length }, sent.join('\n\n')).toEqual({ rows, statements })
    }
  })
})
