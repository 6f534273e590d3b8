import { z } from 'zod'
import { bodyOf, dataOf, type Operation, random, unwritten, type Workload } from '../workload.js'

const FIELDS = ['oid', 'version', 'name', 'companyName', 'country', 'status', 'intakeMode', 'progress', 'overallRiskScore']

const selected = z.object({ assessment: z.record(z.string(), z.unknown()) })

/** How many documents were made; none is ever made twice. */
let made = 0

/** A document of its own: another choice of fields, under other names. */
function newDocument(): Operation & { fields: string[] } {
  made += 1
  const number = made
  // Knuth's multiplicative hash spreads neighbours.
  const choice = Math.imul(number, 2654435761) >>> 8
  const fields = ['name', ...FIELDS.filter((field, index) => field !== 'name' && (choice >> index) % 2 === 1)]
  const selection = fields.map((field) => `${field}_${number}: ${field}`).join(' ')
  return {
    fields,
    raw: 'W1',
    document: `query ($id: ID!) { assessment(id: $id) { ${selection} } }`,
    postgraphile: {
      document: `query ($id: UUID!) { assessment: assessmentByRowId(rowId: $id) { ${selection} } }`,
      answer: (data) => data,
    },
  }
}

/** Whatever a server keeps of a document is of no use here. */
export const w6: Workload = {
  name: 'W6',
  title: 'One assessment by id, every document sent once',
  connections: 32,
  prepare({ dialect, rows }, send) {
    return {
      next: () => ({ body: bodyOf(newDocument(), dialect, { id: random(rows).id }) }),
      async samples() {
        made = 0
        const answers: unknown[] = []
        for (const { id } of unwritten(rows).slice(0, 10)) {
          const operation = newDocument()
          const { assessment } = selected.parse(dataOf(operation, dialect, await send(bodyOf(operation, dialect, { id }))))
          answers.push(operation.fields.map((field) => assessment[dialect === 'raw' ? field : `${field}_${made}`]))
        }
        return answers
      },
    }
  },
}
