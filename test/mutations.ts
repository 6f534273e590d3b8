// Every mutation as the tests of all writes see it. A mutation that is not enrolled here fails writes.test.ts.
import { randomUUID } from 'node:crypto'
import { getNamedType, isUnionType } from 'graphql'
import type { VersionedKind } from '../src/versioning/revisions.js'
import type { Scope } from '../src/domain/scopes.js'
import { type Arguments, everythingOf, operation, rootField, valueAt, withValueAt } from './documents.js'
import { db } from './gateway.js'
import { OPTIONS, type Story } from './story.js'

/** One thing that a mutation does; a mutation that both creates and replaces is enrolled twice. */
export interface Enrolled {
  mutation: string
  does: 'creates' | 'changes'
  kind: VersionedKind
  /** The scope that it needs. */
  scope: Scope
  /** What an id that is not there answers, by its place in the arguments. */
  ids: Record<string, WrongId>
  /** Where expectedVersion stands; null: it has none. */
  expectedVersionAt: string[] | null
  /** Whether a version that is not the expected one concerns one assessment of many instead of the whole call. */
  conflictIn: 'payload' | 'details'
  /** Whether doing the same again is a write too, of a version without changed paths. */
  repeatIsWrite: boolean
  arrange(org: Story): Promise<Arranged>
}

/** NotFoundError, ForbiddenError, or a ValidationError with the issue UNKNOWN; each names the id or its place. */
export type WrongId = 'NotFoundError' | 'ForbiddenError' | 'ValidationError'

export interface Arranged {
  /** Of the row that is changed; null when one is created. */
  id: string | null
  /** Arguments that are valid, with a value at every place of type ID or String, and change something. */
  args: Arguments
  /** What they change. */
  paths: string[]
  /** Another change, possible once the first is done: of other fields if there are any, else another value. */
  next(): Promise<{ args: Arguments; paths: string[] }>
  /** Arguments that only the stored state speaks against, and what it answers. */
  refusedByState(): Promise<{ args: Arguments; answer: object }>
}

export const enrolled: Enrolled[] = [
  {
    mutation: 'createAssessment',
    does: 'creates',
    kind: 'Assessment',
    scope: 'ASSESSMENTS_WRITE',
    ids: { 'input.entityId': 'NotFoundError', 'input.templateId': 'NotFoundError' },
    expectedVersionAt: null,
    conflictIn: 'payload',
    repeatIsWrite: false,
    async arrange(org) {
      await org.question()
      await org.question()
      const [entity, template] = [await org.entity(), await org.template()]
      const input = { entityId: entity.id, templateId: template.id, name: 'First check', intakeMode: 'UPLOAD' }
      return {
        id: null,
        args: { input },
        paths: [
          'id', 'oid', 'name', 'companyName', 'companyType', 'country', 'status', 'intakeMode', 'progress', 'organisation',
          'entity', 'template', 'outcome', 'workflow', 'sections', 'createdAt',
        ],
        next: async () => ({ args: { input: { ...input, entityId: (await org.entity()).id } }, paths: [] }),
        async refusedByState() {
          const { id } = await org.assessment({ entityId: entity.id, templateId: template.id })
          return { args: { input }, answer: { __typename: 'AlreadyExistsError', existing: { id } } }
        },
      }
    },
  },
  {
    mutation: 'updateAssessment',
    does: 'changes',
    kind: 'Assessment',
    scope: 'ASSESSMENTS_WRITE',
    ids: { id: 'NotFoundError' },
    expectedVersionAt: ['expectedVersion'],
    conflictIn: 'payload',
    repeatIsWrite: true,
    async arrange(org) {
      const { id, entityId, templateId } = await org.assessment()
      return {
        id,
        args: { id, input: { name: 'Renamed', companyName: 'Acme Tea', companyType: 'Firm', status: 'ANALYZING', progress: 12.5 } },
        paths: ['name', 'companyName', 'companyType', 'status', 'progress'],
        next: () => Promise.resolve({ args: { id, input: { companyType: null } }, paths: ['companyType'] }),
        async refusedByState() {
          await org.request('mutation ($id: ID!) { updateAssessment(id: $id, input: { status: COMPLETE }) { __typename } }', { id })
          const other = await org.assessment({ entityId, templateId })
          const args = { id, input: { name: 'Renamed', companyName: 'Acme Tea', companyType: 'Firm', status: 'DRAFT' } }
          return { args, answer: { __typename: 'AlreadyExistsError', existing: { id: other.id } } }
        },
      }
    },
  },
  {
    mutation: 'answerAssessmentQuestions',
    does: 'changes',
    kind: 'Assessment',
    scope: 'ASSESSMENTS_WRITE',
    ids: { id: 'NotFoundError', 'answers.0.questionId': 'ValidationError' },
    expectedVersionAt: ['expectedVersion'],
    conflictIn: 'payload',
    repeatIsWrite: true,
    async arrange(org) {
      const { id, sections } = await org.assessment()
      const [first, second] = sections[0]?.questions ?? []
      const args = { id, answers: [{ questionId: first?.id, optionKey: 'high' }] }
      return {
        id,
        args,
        paths: ['sections.0.questions.0.answer'],
        next: () =>
          Promise.resolve({
            args: { id, answers: [{ questionId: second?.id, optionKey: 'none' }] },
            paths: ['sections.0.questions.1.answer'],
          }),
        async refusedByState() {
          await org.request('mutation ($id: ID!) { updateAssessment(id: $id, input: { status: COMPLETE }) { __typename } }', { id })
          return { args, answer: { __typename: 'ValidationError', issues: [{ path: [], code: 'WRONG_STATE' }] } }
        },
      }
    },
  },
  {
    mutation: 'refreshAssessments',
    does: 'changes',
    kind: 'Assessment',
    scope: 'ASSESSMENTS_WRITE',
    ids: { 'assessmentIds.0': 'ForbiddenError', 'expectedVersions.0.id': 'ValidationError' },
    expectedVersionAt: ['expectedVersions', '0', 'expectedVersion'],
    conflictIn: 'details',
    repeatIsWrite: false,
    async arrange(org) {
      const { id, oid, sections } = await org.assessment()
      const qids = sections[0]?.questions.map(({ qid }) => qid) ?? []
      const revise = async (qid: number | undefined, text: string) => {
        await db.question.update({ where: { qid: qid ?? 0 }, data: { text, revision: { increment: 1 } } })
      }
      await revise(qids[0], 'How risky, really?')
      const args = { assessmentIds: [id] }
      return {
        id,
        args,
        paths: ['sections.0.questions.0.revision', 'sections.0.questions.0.text'],
        async next() {
          await db.question.update({
            where: { qid: qids[1] ?? 0 },
            data: { options: OPTIONS.map((option) => ({ ...option, label: `${option.label}!` })), revision: { increment: 1 } },
          })
          return { args, paths: ['sections.0.questions.1.revision', 'sections.0.questions.1.options'] }
        },
        async refusedByState() {
          const other = await org.assessment()
          return {
            // Only the database knows that the oid is the other assessment's.
            args: { assessmentIds: [id], expectedVersions: [{ id: String(other.oid), expectedVersion: 1 }, { id: String(oid), expectedVersion: 1 }] },
            answer: {
              __typename: 'ValidationError',
              issues: [{ path: ['expectedVersions', '0', 'id'], code: 'UNKNOWN' }],
            },
          }
        },
      }
    },
  },
  {
    mutation: 'updateAssessmentRecord',
    does: 'changes',
    kind: 'AssessmentRecord',
    scope: 'RECORDS_WRITE',
    ids: { id: 'NotFoundError', 'input.assessorId': 'NotFoundError' },
    expectedVersionAt: ['expectedVersion'],
    conflictIn: 'payload',
    repeatIsWrite: true,
    async arrange(org) {
      const [{ id }, assessor] = [await org.record(), await org.user()]
      const yesterday = new Date(Date.now() - 86_400_000).toISOString()
      return {
        id,
        args: { id, input: { status: 'PASSED', assessmentDate: yesterday, assessorId: assessor.id } },
        paths: ['status', 'assessmentDate', 'expiresAt', 'assessor'],
        next: () => Promise.resolve({ args: { id, input: { assessorId: null } }, paths: ['assessor'] }),
        refusedByState: () =>
          Promise.resolve({
            args: { id, input: { status: 'FAILED', assessorId: assessor.id } },
            answer: { __typename: 'ValidationError', issues: [{ path: ['input', 'assessmentDate'], code: 'REQUIRED' }] },
          }),
      }
    },
  },
  {
    mutation: 'putAssessmentResult',
    does: 'creates',
    kind: 'AssessmentResult',
    scope: 'RESULTS_WRITE',
    ids: {
      'input.assessmentLineItemSourcedId': 'NotFoundError',
      'input.studentSourcedId': 'NotFoundError',
      'input.scoreScaleSourcedId': 'NotFoundError',
    },
    expectedVersionAt: ['expectedVersion'],
    conflictIn: 'payload',
    repeatIsWrite: true,
    async arrange(org) {
      const input = await wholeResult(org)
      return {
        id: null,
        args: { sourcedId: randomUUID(), input },
        paths: [
          'id', 'sourcedId', 'status', 'metadata', 'assessmentLineItem', 'student', 'score', 'textScore', 'scoreDate', 'scoreScale',
          'scorePercentile', 'scoreStatus', 'comment', 'learningObjectiveSet', 'inProgress', 'incomplete', 'late', 'missing', 'createdAt',
        ],
        next: () => Promise.resolve({ args: { sourcedId: randomUUID(), input }, paths: [] }),
        refusedByState: () => Promise.resolve({ args: { sourcedId: randomUUID(), input: { ...input, score: 101 } }, answer: outOfRange }),
      }
    },
  },
  {
    mutation: 'putAssessmentResult',
    does: 'changes',
    kind: 'AssessmentResult',
    scope: 'RESULTS_WRITE',
    ids: {
      sourcedId: 'NotFoundError',
      'input.assessmentLineItemSourcedId': 'NotFoundError',
      'input.studentSourcedId': 'NotFoundError',
      'input.scoreScaleSourcedId': 'NotFoundError',
    },
    expectedVersionAt: ['expectedVersion'],
    conflictIn: 'payload',
    repeatIsWrite: true,
    async arrange(org) {
      const input = await wholeResult(org)
      const { id, sourcedId } = await org.result({ ...input, score: 70, textScore: 'B', late: null, metadata: null })
      return {
        id,
        args: { sourcedId, input },
        paths: ['metadata', 'score', 'textScore', 'late'],
        next: () => Promise.resolve({ args: { sourcedId, input: { ...input, comment: null } }, paths: ['comment'] }),
        refusedByState: () => Promise.resolve({ args: { sourcedId, input: { ...input, score: 101 } }, answer: outOfRange }),
      }
    },
  },
]

const outOfRange = { __typename: 'ValidationError', issues: [{ path: ['input', 'score'], code: 'OUT_OF_RANGE' }] }

/** The input of a put with every field set. */
async function wholeResult(org: Story): Promise<Arguments> {
  const scale = await org.scale()
  return org.resultInput({
    metadata: { source: 'import', tags: ['a'] },
    textScore: 'A',
    scoreScaleSourcedId: scale.sourcedId,
    scorePercentile: 90,
    comment: 'Well done.',
    learningObjectiveSet: [{ source: 'local', learningObjectiveResults: [{ learningObjectiveId: 'o1', score: 3, textScore: 'fair' }] }],
    inProgress: false,
    incomplete: false,
    late: true,
    missing: false,
  })
}

/* ---- sending ----------------------------------------------------------------------------------- */

/** The operation that asks for the whole payload, so that `current` of a conflict shows its relations. */
export function documentOf({ mutation, kind, conflictIn }: Enrolled): string {
  const payload = getNamedType(rootField('Mutation', mutation).type)
  if (!isUnionType(payload)) throw new Error(`${mutation} answers no union.`)
  return operation('Mutation', mutation, everythingOf(payload, conflictIn === 'details' ? 4 : 2, kind))
}

/** The arguments with an expected version of the row that they change. */
export function expecting({ expectedVersionAt }: Enrolled, args: Arguments, version: number | null): Arguments {
  if (!expectedVersionAt) return args
  const expected = withValueAt(args, expectedVersionAt, version)
  if (expectedVersionAt.length === 1) return expected
  // An expected version in a list stands beside the id that it is of.
  return withValueAt(expected, [...expectedVersionAt.slice(0, -1), 'id'], valueAt(args, ['assessmentIds', '0']))
}
