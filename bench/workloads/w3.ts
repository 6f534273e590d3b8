import { z } from 'zod'
import { ORGANISATION_ID, type Row } from '../data.js'
import { bodyOf, dataOf, type Operation, type Send, type Target, type Workload } from '../workload.js'
import { instant } from './w1.js'

const selection = 'totalCount pageInfo { hasNextPage endCursor } nodes'
const fields = 'name status companyName country createdAt'

const orderedList: Operation = {
  raw: 'W3',
  document: `query ($first: Int!, $after: String) {
    assessments(first: $first, after: $after, filter: { status: [DRAFT, ANALYZING] }, orderBy: [{ field: NAME, direction: ASC }]) {
      ${selection} { id ${fields} }
    }
  }`,
  postgraphile: {
    document: `query ($first: Int!, $after: Cursor) {
      assessments: allAssessments(
        first: $first, after: $after, orderBy: [NAME_ASC, ROW_ID_ASC]
        filter: { organisationId: { equalTo: "${ORGANISATION_ID}" }, status: { in: [DRAFT, ANALYZING] } }
      ) { ${selection} { id: rowId ${fields} } }
    }`,
    answer(data) {
      const node = z.looseObject({ createdAt: z.string().transform(instant) })
      return z.object({ assessments: z.looseObject({ nodes: z.array(node) }) }).parse(data)
    },
  },
}

const page = z.object({ assessments: z.looseObject({ pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string() }) }) })

/**
 * The first page, or one far inside; each server is given a cursor of its own making.
 *
 * @param depth how many items lie before the page, of the half of the assessments that the filter leaves
 */
export function list(name: string, title: string, depth: (rows: Row[]) => number): Workload {
  return {
    name,
    title,
    connections: 32,
    async prepare(target, send) {
      const after = await cursorAt(depth(target.rows), target, send)
      const body = bodyOf(orderedList, target.dialect, { first: 20, after })
      return {
        next: () => ({ body }),
        async samples() {
          const { assessments } = page.parse(dataOf(orderedList, target.dialect, await send(body)))
          // The text of a cursor is each server's own affair.
          return [{ ...assessments, pageInfo: { hasNextPage: assessments.pageInfo.hasNextPage } }]
        },
      }
    },
  }
}

async function cursorAt(depth: number, { dialect }: Target, send: Send): Promise<string | null> {
  let after: string | null = null
  for (let done = 0; done < depth; done += 100) {
    const answer = await send(bodyOf(orderedList, dialect, { first: Math.min(100, depth - done), after }))
    after = page.parse(dataOf(orderedList, dialect, answer)).assessments.pageInfo.endCursor
  }
  return after
}

export const w3a = list('W3a', 'Filter, order by name, first 20, totalCount', () => 0)
export const w3b = list('W3b', 'The same behind a cursor 5,000 rows deep', () => 5000)
