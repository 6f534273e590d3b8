import { z } from 'zod'
import { ORGANISATION_ID, type Row } from '../data.js'
import { bodyOf, dataOf, type Operation, ownRow, type Target, type Workload } from '../workload.js'

const CONFLICTS = 0.05

const row = z.strictObject({ id: z.string(), version: z.number(), name: z.string(), progress: z.number() })
const written = z.object({
  updateAssessment: z.discriminatedUnion('__typename', [
    z.strictObject({ __typename: z.literal('UpdateAssessmentSuccess'), assessment: row }),
    z.strictObject({ __typename: z.literal('ConflictError'), actualVersion: z.number(), current: row }),
  ]),
})

const setProgress: Operation = {
  raw: 'W4',
  document: `mutation ($id: ID!, $expectedVersion: Int, $progress: Float) {
    updateAssessment(id: $id, expectedVersion: $expectedVersion, input: { progress: $progress }) {
      __typename
      ... on UpdateAssessmentSuccess { assessment { id version name progress } }
      ... on ConflictError { actualVersion current { id version ... on Assessment { name progress } } }
    }
  }`,
  postgraphile: {
    document: `mutation ($id: UUID, $expectedVersion: Int, $progress: Float) {
      benchSetProgress(input: { organisationId: "${ORGANISATION_ID}", id: $id, expectedVersion: $expectedVersion, progress: $progress }) {
        result { conflict assessment { id: rowId version name progress } }
      }
    }`,
    answer(data) {
      const answer = z.object({ benchSetProgress: z.object({ result: z.object({ conflict: z.boolean(), assessment: row }) }) })
      const { conflict, assessment } = answer.parse(data).benchSetProgress.result
      return {
        updateAssessment: conflict
          ? { __typename: 'ConflictError', actualVersion: assessment.version, current: assessment }
          : { __typename: 'UpdateAssessmentSuccess', assessment },
      }
    },
  },
}

/** Conditional writes, of which some expect a version that has passed. */
export const w4: Workload = {
  name: 'W4',
  title: 'updateAssessment with expectedVersion, 5 % conflicts',
  connections: 32,
  prepare(target, send) {
    return {
      next: (connection) => exchange(target, ownRow(target.rows, connection), Math.floor(Math.random() * 100), Math.random() < CONFLICTS),
      async samples() {
        // Apart from the version, which goes up with every server that is asked.
        const assessment = ownRow(target.rows.slice(0, 256), 0)
        const answers: unknown[] = []
        for (const stale of [false, true]) {
          const before = assessment.version
          const { body, received } = exchange(target, assessment, 42, stale)
          const answer = await send(body)
          received(answer)
          const { updateAssessment } = written.parse(dataOf(setProgress, target.dialect, answer))
          const { version, ...rest } = 'assessment' in updateAssessment ? updateAssessment.assessment : updateAssessment.current
          answers.push({ type: updateAssessment.__typename, raised: version - before, ...rest })
        }
        return answers
      },
    }
  },
}

function exchange({ dialect }: Target, assessment: Row, progress: number, stale: boolean) {
  const expectedVersion = assessment.version - (stale ? 1 : 0)
  return {
    body: bodyOf(setProgress, dialect, { id: assessment.id, expectedVersion, progress }),
    received(answer: Buffer) {
      const { updateAssessment } = written.parse(dataOf(setProgress, dialect, answer))
      const { version } = 'assessment' in updateAssessment ? updateAssessment.assessment : updateAssessment.current
      const conflict = updateAssessment.__typename === 'ConflictError'
      if (conflict !== stale || version !== assessment.version + (stale ? 0 : 1)) {
        throw new Error(`A write of version ${expectedVersion} came to ${updateAssessment.__typename} at version ${version}.`)
      }
      assessment.version = version
    },
  }
}
