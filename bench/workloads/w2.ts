import { z } from 'zod'
import { ORGANISATION_ID } from '../data.js'
import { bodyOf, dataOf, type Operation, type Workload } from '../workload.js'

const assessmentsWithQuestions = {
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
    document: `{
      assessments: allAssessments(first: 100, orderBy: [CREATED_AT_DESC, ROW_ID_DESC], condition: { organisationId: "${ORGANISATION_ID}" }) {
        nodes {
          id: rowId name status
          template: assessmentTemplateByOrganisationIdAndTemplateIdAndTemplateType { id: rowId name type }
          entity: entityByOrganisationIdAndEntityId { id: rowId name country }
          sections: typedSections { title questions { id text difficulty options { key label riskScore } } }
        }
      }
    }`,
    answer: (data: unknown) => data,
  },
} satisfies Operation

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

const { postgraphile } = assessmentsWithQuestions
/** PostGraphile's scalar of a JSON column cannot be chosen from: it comes whole, and the answer is cut to what was asked for. */
const withWholeColumn: Operation = {
  ...assessmentsWithQuestions,
  postgraphile: {
    document: postgraphile.document.replace(/typedSections {.*}/, 'sections'),
    answer: (data) => z.object({ assessments: z.object({ nodes: z.array(z.looseObject({ sections: z.array(section) })) }) }).parse(data),
  },
}

function page(operation: Operation): Pick<Workload, 'connections' | 'prepare'> {
  return {
    connections: 8,
    prepare({ dialect }, send) {
      const body = bodyOf(operation, dialect, {})
      return {
        next: () => ({ body }),
        samples: async () => [dataOf(operation, dialect, await send(body))],
      }
    },
  }
}

/** A page of 100 assessments with template, entity and all questions and options. */
export const w2: Workload = {
  name: 'W2',
  title: '100 assessments with template, entity, their 5 questions and options',
  ...page(assessmentsWithQuestions),
}

export const w2Json: Workload = {
  name: 'W2-json',
  title: 'The same, but PostGraphile sends the JSON column whole instead of what was asked for of it',
  has: ({ name }) => ['raw', 'ours', 'postgraphile'].includes(name),
  ...page(withWholeColumn),
}
