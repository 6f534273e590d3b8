import { z } from 'zod'
import { ORGANISATION_ID } from '../data.js'
import { bodyOf, dataOf, type Operation, type Workload } from '../workload.js'

const section = z.object({
  title: z.string(),
  questions: z.array(
    z.object({
      id: z.string(),
      text: z.string(),
      difficulty: z.string(),
      options: z.array(z.object({ key: z.string(), label: z.string(), riskScore: z.number() })),
    }),
  ),
})

const assessmentsWithQuestions: Operation = {
  raw: 'W2',
  document: `{
    assessments(first: 100) {
      nodes {
        id name status
        template { id name type }
        entity { id name country }
        sections { title questions { id text difficulty options { key label riskScore } } }
      }
    }
  }`,
  postgraphile: {
    // A JSON column is a scalar there: it comes whole, and the answer is cut to what was asked for.
    document: `{
      assessments: allAssessments(first: 100, orderBy: [CREATED_AT_DESC, ROW_ID_DESC], condition: { organisationId: "${ORGANISATION_ID}" }) {
        nodes {
          id: rowId name status
          template: assessmentTemplateByOrganisationIdAndTemplateIdAndTemplateType { id: rowId name type }
          entity: entityByOrganisationIdAndEntityId { id: rowId name country }
          sections
        }
      }
    }`,
    answer(data) {
      const row = z.looseObject({ sections: z.array(section) })
      return z.object({ assessments: z.object({ nodes: z.array(row) }) }).parse(data)
    },
  },
}

/** A page of 100 assessments with template, entity and all questions and options. */
export const w2: Workload = {
  name: 'W2',
  title: '100 assessments with template, entity, their 5 questions and options',
  connections: 8,
  prepare({ dialect }, send) {
    const body = bodyOf(assessmentsWithQuestions, dialect, {})
    return {
      next: () => ({ body }),
      samples: async () => [dataOf(assessmentsWithQuestions, dialect, await send(body))],
    }
  },
}
