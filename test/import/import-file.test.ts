// Importing a file into an organisation: what it writes, what it leaves alone, and what it refuses.
import { describe, expect, test } from 'vitest'
import { importInto, type ImportSummary } from '../../src/import/import-file.js'
import { isFailure, NotFoundError, ValidationError } from '../../src/domain/failures.js'
import { db } from '../gateway.js'
import { anOrganisation, OPTIONS, type Story } from '../story.js'

const DAY_MS = 86_400_000
const before = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString()

const question = { sourcedId: 'q1', topic: 'risk', difficulty: 'EASY', text: 'How risky?', options: OPTIONS }
const template = {
  sourcedId: 't1',
  name: 'Supplier check',
  type: 'supplier',
  validityDays: 30,
  sections: [{ title: 'Risk', topic: 'risk', difficulty: 'EASY', questionCount: 1 }],
  workflowSteps: ['collect', 'decide'],
  outcomes: [{ name: 'Open' }, { name: 'Fine', riskLevel: 'LOW' }, { name: 'Bad', riskLevel: 'CRITICAL' }],
}
const record = { sourcedId: 'r1', userSourcedId: 'u1', assessmentDefinitionSourcedId: 't1', status: 'PASSED', assessmentDate: before(10) }
const scale = { sourcedId: 's1', title: 'Letters', type: 'letter', values: [{ itemValueLHS: 'A', itemValueRHS: '90-100' }] }
const lineItem = { sourcedId: 'l1', title: 'Midterm', resultValueMin: 0, resultValueMax: 10, scoreScaleSourcedId: 's1' }

/** Rows of every kind, each with all that it can have. */
const everything = {
  users: [
    { sourcedId: 'u1', subject: 'auth0|1', name: 'Ada' },
    { sourcedId: 'u2', name: 'Bo' },
  ],
  entities: [{ sourcedId: 'e1', name: 'Acme', companyType: 'Cooperative', country: 'Kenya' }],
  questions: [question],
  templates: [{ ...template, description: 'Every year.' }],
  folders: [{ sourcedId: 'f1', name: 'Certificates' }],
  records: [{ ...record, assessorSourcedId: 'u2', folderSourcedId: 'f1' }, { ...record, sourcedId: 'r2', status: 'PENDING' }],
  scoreScales: [scale],
  lineItems: [{ ...lineItem, description: 'In class.' }, { sourcedId: 'l2', title: 'Essay' }],
}

/** Imports what must go in. */
async function imported(story: Story, content: unknown): Promise<ImportSummary> {
  const answer = await importInto(db, story.id, content, () => {})
  if (isFailure(answer)) throw new Error(JSON.stringify(answer))
  return answer
}

/** Imports what must be refused: `path code` of each issue. */
async function refused(story: Story, content: unknown, lines: string[] = []): Promise<string[]> {
  const answer = await importInto(db, story.id, content, (line) => void lines.push(line))
  if (!(answer instanceof ValidationError)) throw new Error(`It was not refused: ${JSON.stringify(answer)}`)
  return answer.issues.map(({ path, code }) => `${path.join('.')} ${code}`)
}

/** All that an organisation has, for comparing. */
async function contentOf({ id: organisationId }: Story) {
  const where = { where: { organisationId }, orderBy: { id: 'asc' } } as const
  return {
    users: await db.user.findMany(where),
    entities: await db.entity.findMany(where),
    questions: await db.question.findMany(where),
    templates: await db.assessmentTemplate.findMany({ ...where, include: { outcomes: { orderBy: { position: 'asc' } } } }),
    folders: await db.folder.findMany(where),
    records: await db.assessmentRecord.findMany(where),
    scoreScales: await db.scoreScale.findMany(where),
    lineItems: await db.assessmentLineItem.findMany(where),
    revisions: await db.revision.findMany(where),
  }
}

const revisionsOf = (recordId: string) =>
  db.revision.findMany({ where: { assessmentRecordId: recordId }, orderBy: { version: 'asc' } })

describe('a new file', () => {
  test('every row is created as it stands there, and references become rows', async () => {
    const story = await anOrganisation()
    const lines: string[] = []
    const summary = await importInto(db, story.id, everything, (line) => void lines.push(line))
    expect(summary).toEqual({
      users: { created: 2, updated: 0, unchanged: 0 },
      entities: { created: 1, updated: 0, unchanged: 0 },
      questions: { created: 1, updated: 0, unchanged: 0 },
      templates: { created: 1, updated: 0, unchanged: 0 },
      folders: { created: 1, updated: 0, unchanged: 0 },
      records: { created: 2, updated: 0, unchanged: 0 },
      scoreScales: { created: 1, updated: 0, unchanged: 0 },
      lineItems: { created: 2, updated: 0, unchanged: 0 },
    })
    expect(lines).toHaveLength(8)
    expect(lines).toContain('records: 2 created, 0 updated, 0 unchanged')

    const { users, entities, questions, templates, folders, scoreScales, lineItems } = await contentOf(story)
    expect(users.map(({ sourcedId, subject, name }) => [sourcedId, subject, name]).sort()).toEqual([
      ['u1', 'auth0|1', 'Ada'],
      ['u2', null, 'Bo'],
    ])
    expect(entities).toMatchObject([{ sourcedId: 'e1', name: 'Acme', companyType: 'Cooperative', country: 'Kenya' }])
    expect(questions).toMatchObject([{ ...question, revision: 1, deleted: false }])
    expect(templates).toMatchObject([
      {
        name: 'Supplier check',
        type: 'supplier',
        description: 'Every year.',
        validityDays: 30,
        sections: template.sections,
        workflowSteps: ['collect', 'decide'],
        outcomes: [
          { name: 'Open', position: 0, riskLevel: null },
          { name: 'Fine', position: 1, riskLevel: 'LOW' },
          { name: 'Bad', position: 2, riskLevel: 'CRITICAL' },
        ],
      },
    ])
    expect(scoreScales).toMatchObject([scale])
    expect(lineItems.find((it) => it.sourcedId === 'l1')).toMatchObject({ resultValueMin: 0, resultValueMax: 10, scoreScaleId: scoreScales[0]?.id })
    expect(lineItems.find((it) => it.sourcedId === 'l2')).toMatchObject({ resultValueMin: null, resultValueMax: null, scoreScaleId: null })

    const passed = await db.assessmentRecord.findFirstOrThrow({ where: { organisationId: story.id, sourcedId: 'r1' }, include: { user: true, assessor: true } })
    expect(passed).toMatchObject({
      version: 1,
      user: { sourcedId: 'u1' },
      assessor: { sourcedId: 'u2' },
      folderId: folders[0]?.id,
      assessmentDefinitionId: templates[0]?.id,
      assessmentDate: new Date(record.assessmentDate),
      expiresAt: new Date(Date.parse(record.assessmentDate) + 30 * DAY_MS),
    })
    expect(await revisionsOf(passed.id)).toMatchObject([{ version: 1, actor: 'system:import' }])
    const pending = await db.assessmentRecord.findFirstOrThrow({ where: { organisationId: story.id, sourcedId: 'r2' } })
    expect(pending).toMatchObject({ status: 'PENDING', expiresAt: null, assessorId: null, folderId: null })
  })

  test('kinds may be left out, and rows refer to what earlier files brought', async () => {
    const story = await anOrganisation()
    await imported(story, { users: everything.users, templates: [template] })
    const summary = await imported(story, { records: [record] })
    expect(summary['records']).toEqual({ created: 1, updated: 0, unchanged: 0 })
    expect(summary['users']).toEqual({ created: 0, updated: 0, unchanged: 0 })
  })

  test('more rows than one statement takes go in, in one go', async () => {
    const story = await anOrganisation()
    const users = Array.from({ length: 2_500 }, (_, index) => ({ sourcedId: `u${index}`, subject: `s${index}`, name: 'Somebody' }))
    const records = users.map((user, index) => ({ ...record, sourcedId: `r${index}`, userSourcedId: user.sourcedId }))
    const file = { users, templates: [template], records }
    expect((await imported(story, file))['records']).toEqual({ created: 2_500, updated: 0, unchanged: 0 })
    expect((await imported(story, file))['records']).toEqual({ created: 0, updated: 0, unchanged: 2_500 })
  })

  test('of two imports of it at once, one creates and the other finds all of it there', async () => {
    const story = await anOrganisation()
    const summaries = await Promise.all([imported(story, everything), imported(story, everything)])
    expect(summaries.map(({ records }) => records)).toEqual(
      expect.arrayContaining([
        { created: 2, updated: 0, unchanged: 0 },
        { created: 0, updated: 0, unchanged: 2 },
      ]),
    )
  })
})

describe('a file that was imported before', () => {
  test('the same one changes nothing', async () => {
    const story = await anOrganisation()
    await imported(story, everything)
    const stored = await contentOf(story)
    const summary = await imported(story, everything)
    expect(Object.values(summary).map(({ created, updated }) => created + updated)).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
    expect(await contentOf(story)).toEqual(stored)
  })

  test('rows that differ are replaced whole and keep their ids; the others stay as they were', async () => {
    const story = await anOrganisation()
    await imported(story, everything)
    const stored = await contentOf(story)
    const summary = await imported(story, {
      users: [{ sourcedId: 'u1', name: 'Ada L.' }, everything.users[1]],
      entities: [{ sourcedId: 'e1', name: 'Acme' }],
      templates: [{ ...template, name: 'Yearly check', outcomes: [{ name: 'Bad', riskLevel: 'HIGH' }, { name: 'Open' }, { name: 'Fair', riskLevel: 'LOW' }] }],
      folders: [{ sourcedId: 'f1', name: 'Old certificates' }],
      scoreScales: [{ ...scale, title: 'Grades' }],
      lineItems: [{ sourcedId: 'l1', title: 'Midterm' }],
    })
    expect(summary).toMatchObject({
      users: { created: 0, updated: 1, unchanged: 1 },
      entities: { updated: 1 },
      templates: { updated: 1 },
      folders: { updated: 1 },
      scoreScales: { updated: 1 },
      lineItems: { updated: 1 },
    })
    const changed = await contentOf(story)
    expect(changed.users.find((it) => it.sourcedId === 'u1')).toMatchObject({ name: 'Ada L.', subject: null })
    expect(changed.entities).toMatchObject([{ id: stored.entities[0]?.id, companyType: null, country: null }])
    expect(changed.templates).toMatchObject([{ id: stored.templates[0]?.id, name: 'Yearly check', description: null }])
    const [open, , bad] = stored.templates[0]?.outcomes ?? []
    expect(changed.templates[0]?.outcomes).toMatchObject([
      { id: bad?.id, name: 'Bad', riskLevel: 'HIGH', position: 0 },
      { id: open?.id, name: 'Open', riskLevel: null, position: 1 },
      { name: 'Fair', riskLevel: 'LOW', position: 2 },
    ])
    expect(changed.lineItems.find((it) => it.sourcedId === 'l1')).toMatchObject({ description: null, resultValueMin: null, scoreScaleId: null })
    expect(changed.records).toEqual(stored.records)
    expect(changed.questions).toEqual(stored.questions)
  })

  test('what must be unique can change hands', async () => {
    const story = await anOrganisation()
    await imported(story, {
      users: [{ sourcedId: 'u1', subject: 'a', name: 'Ada' }, { sourcedId: 'u2', subject: 'b', name: 'Bo' }, { sourcedId: 'u3', subject: 'c', name: 'Cy' }],
      templates: [template],
    })
    const [open, fine, bad] = template.outcomes
    const summary = await imported(story, {
      users: [{ sourcedId: 'u1', subject: 'b', name: 'Ada' }, { sourcedId: 'u2', subject: 'a', name: 'Bo' }, { sourcedId: 'u3', name: 'Cy' }, { sourcedId: 'u4', subject: 'c', name: 'Di' }],
      templates: [{ ...template, outcomes: [open, { ...fine, riskLevel: 'CRITICAL' }, { ...bad, riskLevel: 'LOW' }] }],
    })
    expect(summary['users']).toEqual({ created: 1, updated: 3, unchanged: 0 })
    const { users, templates } = await contentOf(story)
    expect(users.map(({ sourcedId, subject }) => [sourcedId, subject]).sort()).toEqual([['u1', 'b'], ['u2', 'a'], ['u3', null], ['u4', 'c']])
    expect(templates[0]?.outcomes.map(({ riskLevel }) => riskLevel)).toEqual([null, 'CRITICAL', 'LOW'])
  })

  test('a question gets a revision when its content differs, and none when it is deleted or brought back', async () => {
    const story = await anOrganisation()
    const now = async () => (await contentOf(story)).questions[0]
    await imported(story, { questions: [question] })
    await imported(story, { questions: [{ ...question, text: 'How very risky?' }] })
    expect(await now()).toMatchObject({ text: 'How very risky?', revision: 2, deleted: false })
    const summary = await imported(story, { questions: [{ ...question, text: 'How very risky?', deleted: true }] })
    expect(summary['questions']).toEqual({ created: 0, updated: 1, unchanged: 0 })
    expect(await now()).toMatchObject({ revision: 2, deleted: true })
    await imported(story, { questions: [{ ...question, text: 'How very risky?', options: OPTIONS.slice(1) }] })
    expect(await now()).toMatchObject({ revision: 3, deleted: false })
  })

  test('a record that differs goes up by one version, as system:import', async () => {
    const story = await anOrganisation()
    await imported(story, everything)
    const assessmentDate = before(3)
    await imported(story, {
      records: everything.records.map((it) => (it.sourcedId === 'r2' ? { ...it, status: 'FAILED', assessmentDate, assessorSourcedId: 'u1' } : it)),
    })
    const { records, users } = await contentOf(story)
    const changed = records.find((it) => it.sourcedId === 'r2')
    const assessorId = users.find((it) => it.sourcedId === 'u1')?.id
    expect(changed).toMatchObject({ version: 2, status: 'FAILED', assessmentDate: new Date(assessmentDate), assessorId, expiresAt: null })
    expect(records.find((it) => it.sourcedId === 'r1')).toMatchObject({ version: 1 })
    expect(await revisionsOf(changed?.id ?? '')).toMatchObject([
      { version: 1 },
      { version: 2, actor: 'system:import', changedPaths: ['status', 'assessmentDate', 'assessor'] },
    ])
  })

  test('a template’s new validity moves the expiry of its PASSED records, in the file or not', async () => {
    const story = await anOrganisation()
    await imported(story, everything)
    const summary = await imported(story, { templates: [{ ...template, validityDays: 60 }] })
    expect(summary['records']).toEqual({ created: 0, updated: 1, unchanged: 0 })
    const { records } = await contentOf(story)
    const passed = records.find((it) => it.sourcedId === 'r1')
    expect(passed).toMatchObject({ version: 2, expiresAt: new Date(Date.parse(record.assessmentDate) + 60 * DAY_MS) })
    expect((await revisionsOf(passed?.id ?? ''))[1]).toMatchObject({ changedPaths: ['expiresAt'], actor: 'system:import' })
    expect(records.find((it) => it.sourcedId === 'r2')).toMatchObject({ version: 1, expiresAt: null })
  })
})

describe('a refused file', () => {
  test('every issue of its form is named by its path, and nothing is imported', async () => {
    const story = await anOrganisation()
    const issues = await refused(story, {
      users: [...everything.users, { sourcedId: 'u2', subject: 'auth0|1', name: '' }, { sourcedId: 7 }],
      entities: [{ sourcedId: 'e1', name: 'x'.repeat(201), employees: 5 }],
      questions: [{ ...question, difficulty: 'TRICKY', options: [{ key: 'a', label: 'A', riskScore: 101 }] }, { ...question, options: [OPTIONS[0], OPTIONS[0]] }],
      templates: [{ ...template, validityDays: 36_501, workflowSteps: [], outcomes: [{ name: 'A', riskLevel: 'LOW' }, { name: 'A', riskLevel: 'LOW' }] }],
      records: [
        { ...record, assessmentDate: null },
        { ...record, sourcedId: 'r2', assessmentDate: before(-2) },
        { ...record, sourcedId: 'r3', assessmentDate: 'yesterday' },
        { ...record, sourcedId: 'r4', assessmentDate: '0000-05-05T00:00:00Z' },
      ],
      lineItems: [{ ...lineItem, resultValueMin: 11 }],
      results: [],
    })
    expect(issues.sort()).toEqual(
      [
        'users.2.name TOO_SHORT',
        'users.2.sourcedId DUPLICATE',
        'users.2.subject DUPLICATE',
        'users.3.sourcedId INVALID_FORMAT',
        'users.3.name REQUIRED',
        'entities.0.name TOO_LONG',
        'entities.0 UNKNOWN',
        'questions.0.difficulty INVALID_FORMAT',
        'questions.0.options.0.riskScore OUT_OF_RANGE',
        'questions.1.options DUPLICATE',
        'questions.1.sourcedId DUPLICATE',
        'templates.0.validityDays OUT_OF_RANGE',
        'templates.0.workflowSteps TOO_SHORT',
        'templates.0.outcomes.1.name DUPLICATE',
        'templates.0.outcomes.1.riskLevel DUPLICATE',
        'records.0.assessmentDate REQUIRED',
        'records.1.assessmentDate IN_FUTURE',
        'records.2.assessmentDate INVALID_FORMAT',
        'records.3.assessmentDate INVALID_FORMAT',
        'lineItems.0 OUT_OF_RANGE',
        ' UNKNOWN',
      ].sort(),
    )
    expect((await contentOf(story)).users).toEqual([])
  })

  test.each([{ content: null }, { content: [] }, { content: 'users' }, { content: 7 }])('$content is no file', async ({ content }) => {
    expect(await refused(await anOrganisation(), content)).toEqual([' INVALID_FORMAT'])
  })

  test('what the stored rows say against it comes all together, and nothing is imported', async () => {
    const story = await anOrganisation()
    await imported(story, everything)
    await imported(story, { users: [{ sourcedId: 'u3', subject: 'auth0|3', name: 'Cy' }], templates: [{ ...template, sourcedId: 't2', type: 'other' }] })
    const { entities, templates } = await contentOf(story)
    await story.assessment({ entityId: entities[0]?.id ?? '', templateId: templates.find((it) => it.sourcedId === 't1')?.id ?? '' })
    const stored = await contentOf(story)
    const lines: string[] = []
    const content = {
      users: [{ sourcedId: 'u1', subject: 'auth0|3', name: 'Ada' }, { sourcedId: 'new', subject: 'auth0|new', name: 'New' }],
      entities: [{ sourcedId: 'e1', name: 'Renamed' }],
      templates: [
        { ...template, type: 'renamed', outcomes: [{ name: 'Fine', riskLevel: 'LOW' }] },
        // No assessment is of this one.
        { ...template, sourcedId: 't2', type: 'renamed', outcomes: [] },
      ],
      folders: [{ sourcedId: 'f2', name: 'Other' }],
      records: [
        { ...record, userSourcedId: 'u2', assessmentDefinitionSourcedId: 't2', folderSourcedId: 'f2' },
        { ...record, sourcedId: 'r3', userSourcedId: 'nobody', assessorSourcedId: 'no one', assessmentDefinitionSourcedId: 'nothing', folderSourcedId: 'nowhere' },
        { ...record, sourcedId: 'r4', userSourcedId: 'new' },
      ],
      lineItems: [{ ...lineItem, scoreScaleSourcedId: 'none' }],
    }
    expect(await refused(story, content, lines)).toEqual([
      'users.0.subject DUPLICATE',
      'templates.0.type WRONG_STATE',
      'templates.0.outcomes WRONG_STATE',
      'records.1.userSourcedId UNKNOWN',
      'records.1.assessmentDefinitionSourcedId UNKNOWN',
      'records.1.assessorSourcedId UNKNOWN',
      'records.1.folderSourcedId UNKNOWN',
      'records.0.userSourcedId WRONG_STATE',
      'records.0.assessmentDefinitionSourcedId WRONG_STATE',
      'records.0.folderSourcedId WRONG_STATE',
      'lineItems.0.scoreScaleSourcedId UNKNOWN',
    ])
    // A row that is refused is not counted as updated.
    expect(lines).toContain('templates: 0 created, 1 updated, 0 unchanged')
    expect(await contentOf(story)).toEqual(stored)
  })

  test('rows of another organisation are not there', async () => {
    const other = await anOrganisation()
    await imported(other, everything)
    const story = await anOrganisation()
    const issues = await refused(story, { records: [{ ...record, assessorSourcedId: 'u2', folderSourcedId: 'f1' }], lineItems: [lineItem] })
    expect(issues).toEqual([
      'records.0.userSourcedId UNKNOWN',
      'records.0.assessmentDefinitionSourcedId UNKNOWN',
      'records.0.assessorSourcedId UNKNOWN',
      'records.0.folderSourcedId UNKNOWN',
      'lineItems.0.scoreScaleSourcedId UNKNOWN',
    ])
    // The same sourcedIds are free here all the same.
    const stored = await contentOf(other)
    await imported(story, everything)
    expect(await contentOf(other)).toEqual(stored)
  })

  test('an organisation that is not there is not found', async () => {
    for (const id of ['01234567-89ab-4def-8123-456789abcdef', 'acme']) {
      expect(await importInto(db, id, everything, () => {})).toEqual(new NotFoundError([id]))
    }
  })
})
