import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { anOrganisation, type Story } from '../story.js'

/* ---- the mutation, with everything that it can answer ------------------------------------------ */

const RECORD = `
  id version status assessmentDate expiresAt isExpired
  organisation { id } user { id } assessmentDefinition { id } assessor { id } folder { id }
  history { nodes { version changedPaths } }`

const UPDATE = `mutation ($id: ID!, $expectedVersion: Int, $input: UpdateAssessmentRecordInput!) {
  updateAssessmentRecord(id: $id, expectedVersion: $expectedVersion, input: $input) {
    __typename
    ... on UpdateAssessmentRecordSuccess { assessmentRecord { ${RECORD} } }
    ... on ConflictError { expectedVersion actualVersion changedPaths }
    ... on NotFoundError { ids }
    ... on ValidationError { issues { path code } }
  }
}`

const record = z.looseObject({
  version: z.number(),
  history: z.object({ nodes: z.array(z.object({ version: z.number(), changedPaths: z.array(z.string()) })) }),
})
const success = z.object({
  updateAssessmentRecord: z.object({ __typename: z.literal('UpdateAssessmentRecordSuccess'), assessmentRecord: record }),
})
const failure = z.object({ updateAssessmentRecord: z.looseObject({ __typename: z.string().endsWith('Error') }) })

async function update(org: Story, id: string, input: object) {
  return (await org.dataOf(success, UPDATE, { id, input })).updateAssessmentRecord.assessmentRecord
}

async function refusal(org: Story, id: string, input: object, expectedVersion?: number) {
  return (await org.dataOf(failure, UPDATE, { id, input, expectedVersion })).updateAssessmentRecord
}

async function stored(org: Story, id: string) {
  const query = `query ($id: ID!) { assessmentRecord(id: $id) { ${RECORD} } }`
  return (await org.dataOf(z.object({ assessmentRecord: record }), query, { id })).assessmentRecord
}

const invalid = (code: string, ...path: string[]) => ({ __typename: 'ValidationError', issues: [{ path, code }] })

const DATE = '2026-03-04T10:30:00.123Z'
/** 365 days of 24 hours later. */
const YEAR_LATER = '2027-03-04T10:30:00.123Z'
/** No test will run so late. */
const FUTURE = '9000-01-01T00:00:00.000Z'

/* ---- tests ------------------------------------------------------------------------------------- */

describe('what is sent', () => {
  it.each([
    ['status', { status: 'FAILED' }, { status: 'FAILED', expiresAt: null }, ['status', 'expiresAt', 'isExpired']],
    ['assessmentDate', { assessmentDate: '2020-03-04T10:30:00.123Z' }, { assessmentDate: '2020-03-04T10:30:00.123Z', expiresAt: '2021-03-04T10:30:00.123Z' }, ['assessmentDate', 'expiresAt']],
    ['assessorId', { assessorId: null }, { assessor: null }, ['assessor']],
    ['nothing', {}, {}, []],
  ])('changes alone, with what derives from it: %s', async (_, input, changed, changedPaths) => {
    const org = await anOrganisation()
    const assessor = await org.user()
    const folder = await org.folder()
    const { id } = await org.record({
      status: 'PASSED',
      assessmentDate: '2021-03-04T10:30:00.123Z',
      expiresAt: '2022-03-04T10:30:00.123Z',
      assessorId: assessor.id,
      folderId: folder.id,
    })
    const before = await stored(org, id)
    expect(before).toMatchObject({ isExpired: true, assessor: { id: assessor.id }, folder: { id: folder.id }, organisation: { id: org.id } })

    const after = await update(org, id, input)

    const history = { nodes: [{ version: 2, changedPaths }, ...before.history.nodes] }
    expect(after).toEqual({ ...before, ...('status' in input && { isExpired: false }), ...changed, version: 2, history })
    expect(await stored(org, id)).toEqual(after)
  })

  it('changes together, as one version, and leaves user, definition and folder', async () => {
    const org = await anOrganisation()
    const assessor = await org.user()
    const { id, userId, assessmentDefinitionId } = await org.record()
    expect(await update(org, id, { status: 'PASSED', assessmentDate: DATE, assessorId: assessor.id })).toMatchObject({
      version: 2,
      status: 'PASSED',
      assessmentDate: DATE,
      expiresAt: YEAR_LATER,
      user: { id: userId },
      assessmentDefinition: { id: assessmentDefinitionId },
      assessor: { id: assessor.id },
      folder: null,
    })
  })

  it('can be a date in any offset, which is answered in UTC', async () => {
    const org = await anOrganisation()
    const { id } = await org.record()
    expect(await update(org, id, { assessmentDate: '2026-03-04T23:30:00.123+13:00' })).toMatchObject({ assessmentDate: DATE })
  })

  it('cannot be null for status', async () => {
    const org = await anOrganisation()
    const { id } = await org.record()
    expect(await refusal(org, id, { status: null })).toEqual(invalid('NOT_NULLABLE', 'input', 'status'))
    expect(await stored(org, id)).toMatchObject({ version: 1, status: 'PENDING' })
  })

  it('clears assessmentDate and assessor when it is null, unless the status needs the date', async () => {
    const org = await anOrganisation()
    const { id } = await org.record({ assessmentDate: DATE, assessorId: (await org.user()).id })
    expect(await update(org, id, { assessmentDate: null, assessorId: null })).toMatchObject({ assessmentDate: null, assessor: null })
  })
})

describe('the expiry', () => {
  it.each([1, 365, 36_500])('is %d days of 24 hours after the assessment while PASSED', async (validityDays) => {
    const org = await anOrganisation()
    const { id } = await org.record({ assessmentDefinitionId: (await org.template({ validityDays })).id })
    const expiresAt = new Date(Date.parse(DATE) + validityDays * 24 * 60 * 60 * 1000).toISOString()
    expect(await update(org, id, { status: 'PASSED', assessmentDate: DATE })).toMatchObject({ expiresAt })
  })

  it('is null when the definition has no validityDays', async () => {
    const org = await anOrganisation()
    const { id } = await org.record({ assessmentDefinitionId: (await org.template({ validityDays: null })).id })
    expect(await update(org, id, { status: 'PASSED', assessmentDate: DATE })).toMatchObject({ status: 'PASSED', expiresAt: null, isExpired: false })
  })

  it.each(['PENDING', 'FAILED'])('is null while %s, and comes back with PASSED', async (status) => {
    const org = await anOrganisation()
    const { id } = await org.record()
    await update(org, id, { status: 'PASSED', assessmentDate: DATE })
    expect(await update(org, id, { status })).toMatchObject({ status, assessmentDate: DATE, expiresAt: null })
    expect(await update(org, id, { status: 'PASSED' })).toMatchObject({ expiresAt: YEAR_LATER })
  })

  it('comes at its very time: a pass of long ago is expired from the start', async () => {
    const org = await anOrganisation()
    const { id } = await org.record()
    const passed = await update(org, id, { status: 'PASSED', assessmentDate: '2001-01-01T00:00:00.000Z' })
    expect(passed).toMatchObject({ expiresAt: '2002-01-01T00:00:00.000Z', isExpired: true })
    expect(passed.history.nodes[0]?.changedPaths).toEqual(['status', 'assessmentDate', 'expiresAt', 'isExpired'])
  })
})

describe.each(['PASSED', 'FAILED'])('%s', (status) => {
  it('needs an assessmentDate, sent or stored', async () => {
    const org = await anOrganisation()
    const { id } = await org.record()
    const required = invalid('REQUIRED', 'input', 'assessmentDate')
    expect(await refusal(org, id, { status })).toEqual(required)
    expect(await refusal(org, id, { status, assessmentDate: null })).toEqual(required)
    expect(await stored(org, id)).toMatchObject({ version: 1, status: 'PENDING' })
    await update(org, id, { assessmentDate: DATE })
    expect(await update(org, id, { status })).toMatchObject({ status, assessmentDate: DATE })
    expect(await refusal(org, id, { assessmentDate: null })).toEqual(required)
    expect(await update(org, id, { status: 'PENDING', assessmentDate: null })).toMatchObject({ version: 4, assessmentDate: null })
  })

  it('takes no assessmentDate in the future, sent or stored', async () => {
    const org = await anOrganisation()
    const { id } = await org.record()
    const inFuture = invalid('IN_FUTURE', 'input', 'assessmentDate')
    expect(await refusal(org, id, { status, assessmentDate: FUTURE })).toEqual(inFuture)
    expect(await update(org, id, { assessmentDate: FUTURE })).toMatchObject({ status: 'PENDING', assessmentDate: FUTURE })
    expect(await refusal(org, id, { status })).toEqual(inFuture)
    await update(org, id, { status, assessmentDate: DATE })
    expect(await refusal(org, id, { assessmentDate: FUTURE })).toEqual(inFuture)
    expect(await stored(org, id)).toMatchObject({ version: 3, status, assessmentDate: DATE })
  })
})

describe('the order of the answers', () => {
  it('is: the input alone, what is not there, the version, the state that would result', async () => {
    const org = await anOrganisation()
    const { id } = await org.record()
    const unknown = randomUUID()
    expect(await refusal(org, unknown, { status: 'PASSED', assessmentDate: null, assessorId: unknown }, 7)).toEqual(
      invalid('REQUIRED', 'input', 'assessmentDate'),
    )
    expect(await refusal(org, id, { status: 'PASSED', assessorId: unknown }, 7)).toEqual({ __typename: 'NotFoundError', ids: [unknown] })
    expect(await refusal(org, id, { status: 'PASSED' }, 7)).toEqual({
      __typename: 'ConflictError',
      expectedVersion: 7,
      actualVersion: 1,
      changedPaths: [],
    })
    expect(await refusal(org, id, { status: 'PASSED' }, 1)).toEqual(invalid('REQUIRED', 'input', 'assessmentDate'))
  })
})

describe('an assessor', () => {
  it('of another organisation, unknown or malformed is not there, and nothing is written', async () => {
    const [org, other] = [await anOrganisation(), await anOrganisation()]
    const { id } = await org.record()
    for (const assessorId of [(await other.user()).id, randomUUID(), 'no uuid', '']) {
      expect(await refusal(org, id, { assessmentDate: DATE, assessorId })).toEqual({ __typename: 'NotFoundError', ids: [assessorId] })
    }
    expect(await stored(org, id)).toMatchObject({ version: 1, assessmentDate: null, assessor: null })
  })

  it('is told together with the record when both are not there', async () => {
    const [org, other] = [await anOrganisation(), await anOrganisation()]
    const [record, assessor] = [await other.record(), await other.user()]
    expect(await refusal(org, record.id, { assessorId: assessor.id })).toEqual({
      __typename: 'NotFoundError',
      ids: [record.id, assessor.id],
    })
    expect(await stored(other, record.id)).toMatchObject({ version: 1 })
  })
})
