// Where each update mutation keeps the number that a client writes, and how it is read back.
import { z } from 'zod'

export interface Kind {
  /** What the rows are named by in the schema: `id`, or the writer's own `sourcedId`. */
  read: string
  write: string
  /** The variables beyond the row's name and expectedVersion. */
  variables(value: number): object
  /** Takes the number out of the row as GraphQL shows it. */
  value(row: unknown): number
}

/** How many questions with the options 0 to 9 an assessment has: they spell a number. */
export const DIGITS = 7
const digitsOf = (value: number) => [...String(value).padStart(DIGITS, '0')]
/** Dates that no clock is behind. */
const EPOCH = Date.UTC(2020, 0, 1)
export const dateOf = (value: number) => new Date(EPOCH + value)
export const numberOf = (date: Date) => date.getTime() - EPOCH

const named = z.object({ name: z.string() })
const dated = z.object({ assessmentDate: z.iso.datetime() })
const commented = z.object({ comment: z.string() })
const answered = z.object({
  sections: z.tuple([z.object({ questions: z.array(z.object({ answer: z.object({ key: z.string() }) })).length(DIGITS) })]),
})
/** What all mutations of a kind have in common: the row as `row`, whether it was written or is in the way. */
const payload = (success: string) => `{ __typename ... on ${success} ... on ConflictError { row: current { ...row } } }`

export const kinds = {
  updateAssessment: {
    read: 'query ($id: ID!) { row: assessment(id: $id) { ...row } } fragment row on Assessment { version name }',
    write: `mutation ($id: ID!, $expectedVersion: Int, $input: UpdateAssessmentInput!) {
      written: updateAssessment(id: $id, expectedVersion: $expectedVersion, input: $input)
        ${payload('UpdateAssessmentSuccess { row: assessment { ...row } }')}
    } fragment row on Assessment { version name }`,
    variables: (value) => ({ input: { name: String(value) } }),
    value: (row) => Number(named.parse(row).name),
  },
  answerAssessmentQuestions: {
    read: `query ($id: ID!) { row: assessment(id: $id) { ...row } } fragment row on Assessment { version sections { questions { answer { key } } } }`,
    write: `mutation ($id: ID!, $expectedVersion: Int, $answers: [AnswerInput!]!) {
      written: answerAssessmentQuestions(id: $id, expectedVersion: $expectedVersion, answers: $answers)
        ${payload('AnswerAssessmentQuestionsSuccess { row: assessment { ...row } }')}
    } fragment row on Assessment { version sections { questions { answer { key } } } }`,
    variables: (value) => ({ answers: digitsOf(value).map((optionKey, index) => ({ questionId: `${index}`, optionKey })) }),
    value: (row) => Number(answered.parse(row).sections[0].questions.map(({ answer }) => answer.key).join('')),
  },
  updateAssessmentRecord: {
    read: 'query ($id: ID!) { row: assessmentRecord(id: $id) { ...row } } fragment row on AssessmentRecord { version assessmentDate }',
    write: `mutation ($id: ID!, $expectedVersion: Int, $input: UpdateAssessmentRecordInput!) {
      written: updateAssessmentRecord(id: $id, expectedVersion: $expectedVersion, input: $input)
        ${payload('UpdateAssessmentRecordSuccess { row: assessmentRecord { ...row } }')}
    } fragment row on AssessmentRecord { version assessmentDate }`,
    variables: (value) => ({ input: { assessmentDate: dateOf(value).toISOString() } }),
    value: (row) => numberOf(new Date(dated.parse(row).assessmentDate)),
  },
  putAssessmentResult: {
    read: 'query ($id: ID!) { row: assessmentResult(sourcedId: $id) { ...row } } fragment row on AssessmentResult { version comment }',
    write: `mutation ($id: ID!, $expectedVersion: Int, $input: PutAssessmentResultInput!) {
      written: putAssessmentResult(sourcedId: $id, expectedVersion: $expectedVersion, input: $input)
        ${payload('PutAssessmentResultSuccess { row: assessmentResult { ...row } }')}
    } fragment row on AssessmentResult { version comment }`,
    variables: (value) => ({
      input: {
        status: 'ACTIVE',
        assessmentLineItemSourcedId: 'line item',
        studentSourcedId: 'student',
        scoreDate: '2026-03-04T10:30:00.000Z',
        scoreStatus: 'FULLY_GRADED',
        comment: String(value),
      },
    }),
    value: (row) => Number(commented.parse(row).comment),
  },
} satisfies Record<string, Kind>
export type KindName = keyof typeof kinds
