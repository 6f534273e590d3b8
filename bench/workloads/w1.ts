import { z } from 'zod'
import { bodyOf, dataOf, type Operation, random, unwritten, type Workload } from '../workload.js'

const fields = 'oid version name companyName country status intakeMode progress overallRiskScore createdAt updatedAt'

export const assessmentById: Operation = {
  raw: 'W1',
  document: `query ($id: ID!) { assessment(id: $id) { id ${fields} } }`,
  postgraphile: {
    document: `query ($id: UUID!) { assessment: assessmentByRowId(rowId: $id) { id: rowId ${fields} } }`,
    answer(data) {
      const { assessment } = z.object({ assessment: z.looseObject({ createdAt: z.string(), updatedAt: z.string() }) }).parse(data)
      return { assessment: { ...assessment, createdAt: instant(assessment.createdAt), updatedAt: instant(assessment.updatedAt) } }
    },
  },
}

/** The same time in the form in which the others write it. */
export function instant(text: string): string {
  return new Date(text).toISOString()
}

/** One assessment by a random id. */
export const w1: Workload = {
  name: 'W1',
  title: 'One assessment by id, 12 fields',
  connections: 32,
  prepare({ dialect, rows }, send) {
    return {
      next: () => ({ body: bodyOf(assessmentById, dialect, { id: random(rows).id }) }),
      async samples() {
        const some = unwritten(rows).filter((_, index) => index % 1000 === 7)
        return Promise.all(some.map(async ({ id }) => dataOf(assessmentById, dialect, await send(bodyOf(assessmentById, dialect, { id })))))
      },
    }
  },
}
