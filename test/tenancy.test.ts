// Nobody sees or reaches what belongs to another organisation, or what needs a scope that is missing.
import { randomUUID } from 'node:crypto'
import { getNamedType, isCompositeType, isObjectType } from 'graphql'
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { Prisma } from '../src/generated/prisma/client.js'
import { createSession } from '../src/organisations/service.js'
import { schema } from '../src/server/schema.js'
import { type Scope, scopes } from '../src/domain/scopes.js'
import { type Arguments, everythingOf, leavesOf, operation, rootField, rootFields, withValueAt } from './documents.js'
import { ask, tellExchangesOfFailedTests } from './exchanges.js'
import { db } from './gateway.js'
import { documentOf, enrolled, expecting } from './mutations.js'
import { anOrganisation, Story } from './story.js'

tellExchangesOfFailedTests()

/** An organisation that has one of everything, each related to the others wherever it can be. */
interface Tenant {
  org: Story
  /** What names its rows in arguments. */
  names: Record<string, string | number>
}

let ours: Tenant
let theirs: Tenant
beforeAll(async () => {
  ours = await aTenant()
  theirs = await aTenant()
})

async function aTenant(): Promise<Tenant> {
  const org = await anOrganisation()
  const unique = randomUUID()
  const user = await org.user({ subject: unique, name: unique })
  await createSession(db, { organisationId: org.id, subject: unique, scopes: [], minutes: 1 })
  const byUser = new Story(org.id, await org.keyWith(scopes, unique))
  for (const _ of [1, 2]) await org.question()
  const [entity, template] = [await org.entity({ name: unique, country: unique }), await org.template({ name: unique, validityDays: 30 })]
  const assessment = await byUser.assessment({ entityId: entity.id, templateId: template.id, name: unique })
  // One with a workflow error, and one with an answer.
  await org.assessment({ templateId: (await org.template({ sections: [{ title: 'None', topic: unique, difficulty: 'HARD', questionCount: 1 }] })).id })
  const answers = [{ questionId: assessment.sections[0]?.questions[0]?.id, optionKey: 'high' }]
  const answered = 'mutation ($id: ID!, $answers: [AnswerInput!]!) { answerAssessmentQuestions(id: $id, answers: $answers) { __typename } }'
  expect((await org.request(answered, { id: assessment.id, answers })).errors).toBeUndefined()
  const folder = await org.folder({ name: unique })
  const record = await org.record({ userId: user.id, assessorId: user.id, assessmentDefinitionId: template.id, folderId: folder.id })
  const scale = await org.scale({ title: unique })
  const lineItem = await org.lineItem({ title: unique, scoreScaleId: scale.id })
  const result = await org.result({
    assessmentLineItemSourcedId: lineItem.sourcedId,
    studentSourcedId: user.sourcedId,
    scoreScaleSourcedId: scale.sourcedId,
    learningObjectiveSet: [{ source: 'local', learningObjectiveResults: [{ learningObjectiveId: unique }] }],
  })
  return {
    org,
    names: {
      'assessment.id': assessment.id,
      'assessments.filter.oid.0': assessment.oid,
      'assessments.filter.entityId': entity.id,
      'assessments.filter.templateId': template.id,
      'assessments.filter.createdById': user.id,
      'assessments.filter.search': unique,
      'assessmentTemplate.id': template.id,
      'assessmentTemplates.filter.type': template.type,
      'assessmentTemplates.filter.search': unique,
      'assessmentRecord.id': record.id,
      'assessmentRecords.filter.userId': user.id,
      'assessmentRecords.filter.assessorId': user.id,
      'assessmentRecords.filter.assessmentDefinitionId': template.id,
      'assessmentResult.sourcedId': result.sourcedId,
      'assessmentResults.filter.studentSourcedId': user.sourcedId ?? '',
      'assessmentResults.filter.assessmentLineItemSourcedId': lineItem.sourcedId,
      'assessmentLineItem.sourcedId': lineItem.sourcedId,
      'assessmentLineItems.search': unique,
      'entity.id': entity.id,
      'entities.filter.search': unique,
      'entities.filter.country': unique,
      'outcome.id': template.outcomes[0]?.id ?? '',
      'user.id': user.id,
      'users.filter.search': unique,
      'users.filter.sourcedId': user.sourcedId ?? '',
      'users.filter.subject': unique,
    },
  }
}

/* ---- reading ----------------------------------------------------------------------------------- */

describe('an organisation reads its own rows alone', () => {
  test('through every field of Query, with all that hangs on what it answers', async () => {
    const [own, foreign] = [await everythingReadBy(ours), await everythingReadBy(theirs)]
    const shared = own.uuids.filter((uuid) => foreign.uuids.includes(uuid))
    expect(shared).toEqual([])
    expect(own.types, 'a type that no answer holds proves nothing').toEqual(typesBelowQuery())
    // Each row that the one sees has its like in the other.
    expect(own.uuids.length).toBe(foreign.uuids.length)
  })

  const places = Object.values(rootFields('Query')).flatMap((field) =>
    ['ID', 'String', 'Int']
      .flatMap((type) => leavesOf(field, type))
      .filter(({ path }) => !['first', 'last', 'after', 'before'].includes(path.join('.')))
      .map(({ path }) => ({ field: field.name, path, place: [field.name, ...path].join('.') })),
  )

  test('whatever can name a row in an argument of Query is tried', () => {
    expect(new Set(Object.keys(ours.names))).toEqual(new Set(places.map(({ place }) => place)))
  })

  test.each(places)('$place finds what is its own and nothing of the other', async ({ field, path, place }) => {
    const find = async (name: unknown) => {
      const isList = getNamedType(rootField('Query', field).type).name.endsWith('Connection')
      const selection = isList ? 'nodes { id } edges { cursor } totalCount' : 'id'
      const { data, errors } = await ask(ours.org.key, operation('Query', field, selection), withValueAt({}, path, name))
      expect(errors).toBeUndefined()
      return data?.[field]
    }
    const own = await find(ours.names[place])
    expect(own).toMatchObject(path.length === 1 && path[0] !== 'search' ? { id: someText } : { totalCount: 1, nodes: [{ id: someText }] })
    const none = path.length === 1 && path[0] !== 'search' ? null : { nodes: [], edges: [], totalCount: 0 }
    expect(await find(theirs.names[place])).toEqual(none)
    const nowhere = typeof ours.names[place] === 'number' ? [0, -1] : [randomUUID(), 'not-a-uuid', '\u0000', '\ud800', "' OR true --"]
    for (const name of nowhere) expect(await find(name), JSON.stringify(name)).toEqual(none)
  })

  test('behind a cursor of the other organisation too', async () => {
    for (const { name } of Object.values(rootFields('Query')).filter(({ type }) => getNamedType(type).name.endsWith('Connection'))) {
      const page = operation('Query', name, 'nodes { id } pageInfo { startCursor }')
      const cursorOf = z.object({ pageInfo: z.object({ startCursor: z.string() }) })
      const foreign = cursorOf.parse((await ask(theirs.org.key, page, {})).data?.[name]).pageInfo.startCursor
      const nodes = z.object({ nodes: z.array(z.object({ id: z.string() })) })
      const theirIds = nodes.parse((await ask(theirs.org.key, page, {})).data?.[name]).nodes.map(({ id }) => id)
      for (const range of [{ after: foreign }, { before: foreign }]) {
        const { nodes: seen } = nodes.parse((await ask(ours.org.key, page, range)).data?.[name])
        expect(seen.filter(({ id }) => theirIds.includes(id))).toEqual([])
      }
    }
  })

  test('also where both call their rows the same', async () => {
    const sourcedId = 'the same in both'
    const [one, two] = [await anOrganisation(), await anOrganisation()]
    for (const [org, score] of [[one, 1], [two, 2]] as const) {
      await org.user({ sourcedId, subject: sourcedId, name: org.id })
      await org.scale({ sourcedId, title: org.id })
      await org.lineItem({ sourcedId, title: org.id })
      await org.result({ assessmentLineItemSourcedId: sourcedId, studentSourcedId: sourcedId, scoreScaleSourcedId: sourcedId, score }, sourcedId)
    }
    for (const [org, score] of [[one, 1], [two, 2]] as const) {
      const { data } = await ask(
        org.key,
        `query ($id: ID!, $subject: String) {
          assessmentResult(sourcedId: $id) { score student { name } scoreScale { title } assessmentLineItem { title results { totalCount nodes { score } } } }
          assessmentResults(filter: { studentSourcedId: $id, assessmentLineItemSourcedId: $id }) { totalCount nodes { score } }
          assessmentLineItem(sourcedId: $id) { title }
          users(filter: { sourcedId: $id, subject: $subject }) { nodes { name } }
        }`,
        { id: sourcedId, subject: sourcedId },
      )
      const results = { totalCount: 1, nodes: [{ score }] }
      expect(data).toEqual({
        assessmentResult: { score, student: { name: org.id }, scoreScale: { title: org.id }, assessmentLineItem: { title: org.id, results } },
        assessmentResults: results,
        assessmentLineItem: { title: org.id },
        users: { nodes: [{ name: org.id }] },
      })
    }
  })
})

/* ---- writing ----------------------------------------------------------------------------------- */

describe('an organisation changes its own rows alone', () => {
  test.each(enrolled.map((it) => [`${it.mutation}, which ${it.does} an ${it.kind},`, it] as const))('%s with the other’s arguments is refused', async (_name, it) => {
    const [org, other] = [await anOrganisation(), await anOrganisation()]
    const { args } = await it.arrange(other)
    const before = await rowsOf(other)
    for (const foreign of [args, it.does === 'changes' ? expecting(it, args, 1) : args]) {
      const { data, errors } = await ask(org.key, documentOf(it), foreign)
      expect(errors).toBeUndefined()
      const named = uuidsIn(foreign)
      expect(data?.[it.mutation]).toMatchObject({ __typename: Object.values(it.ids).find((wrong) => wrong !== 'ValidationError') })
      expect(uuidsIn(data).filter((uuid) => !named.includes(uuid)), 'it tells nothing that was not sent').toEqual([])
    }
    expect(await rowsOf(other)).toEqual(before)
    expect(await rowsOf(org)).toEqual([])
  })

  test('refreshing all of them leaves the other’s as they are', async () => {
    const [org, other] = [await anOrganisation(), await anOrganisation()]
    await (enrolled.find(({ mutation }) => mutation === 'refreshAssessments') ?? enrolled[0])?.arrange(other)
    await org.assessment()
    const before = await rowsOf(other)
    const { data } = await ask(org.key, 'mutation { refreshAssessments { ... on RefreshAssessmentsSuccess { details { status } } } }')
    expect(data).toEqual({ refreshAssessments: { details: [{ status: 'UNCHANGED' }] } })
    expect(await rowsOf(other)).toEqual(before)
  })

  test('a new assessment draws no question of the other’s bank', async () => {
    const [org, other] = [await anOrganisation(), await anOrganisation()]
    for (const _ of [1, 2]) await other.question()
    const { sections } = await org.assessment({ templateId: (await org.template()).id })
    expect(sections).toEqual([{ questions: [] }])
  })

  test('a deleted question is not replaced by one of the other’s bank', async () => {
    const [org, other] = [await anOrganisation(), await anOrganisation()]
    const { sections } = await org.assessment()
    await other.question()
    await db.question.updateMany({ where: { organisationId: org.id }, data: { deleted: true } })
    const { data } = await ask(org.key, 'mutation { refreshAssessments { ... on RefreshAssessmentsSuccess { details { deletedQuestionsReplaced deletedQuestionsNotReplaced } } } }')
    const questions = sections[0]?.questions.length
    expect(data).toEqual({ refreshAssessments: { details: [{ deletedQuestionsReplaced: 0, deletedQuestionsNotReplaced: questions }] } })
  })
})

/* ---- the database ------------------------------------------------------------------------------ */

interface ForeignKey {
  name: string
  table: string
  columns: string[]
  target: string
  targetColumns: string[]
}

describe('the database lets no row point at another organisation’s', () => {
  let keys: ForeignKey[]
  beforeAll(async () => {
    keys = (await foreignKeys()).filter(({ target }) => target !== 'Organisation')
    // A revision of each kind, a session and a key with a user are among a tenant's rows.
    expect(keys.length).toBeGreaterThan(15)
  })

  test('every foreign key carries the organisation', () => {
    const without = keys.filter(({ columns, targetColumns }) => columns[0] !== 'organisationId' || targetColumns[0] !== 'organisationId')
    expect(without).toEqual([])
  })

  test('every table belongs to an organisation, and every pointer in it is a foreign key', async () => {
    const columns = await db.$queryRaw<{ table: string; column: string }[]>`
      SELECT table_name AS "table", column_name AS "column" FROM information_schema.columns
      WHERE table_schema = current_schema() AND table_name NOT IN ('Organisation', '_prisma_migrations')`
    const tables = [...new Set(columns.map(({ table }) => table))]
    expect(tables.filter((table) => !columns.some((it) => it.table === table && it.column === 'organisationId'))).toEqual([])
    const pointers = columns.filter(({ column }) => /Id$/.test(column) && !['organisationId', 'sourcedId', 'workflowId', 'requestId'].includes(column))
    const free = pointers.filter(({ table, column }) => !keys.some((key) => key.table === table && key.columns.includes(column)))
    expect(free).toEqual([])
  })

  test('every pointer that is turned to another organisation’s row is refused, however it is written', async () => {
    for (const { name, table, columns, target, targetColumns } of keys) {
      const own = Prisma.join(columns.slice(1).map(quoted))
      const their = Prisma.join(targetColumns.slice(1).map(quoted))
      const [set] = columns.slice(1).filter((column) => column.endsWith('Id')).slice(-1)
      const [row] = await db.$queryRaw<{ id: unknown }[]>`
        SELECT "id" FROM ${quoted(table)} WHERE "organisationId" = ${ours.org.id}::uuid AND ${quoted(set ?? '')} IS NOT NULL LIMIT 1`
      expect(row, `${name} is not set in any row`).toBeDefined()
      const isVersioned = ['Assessment', 'AssessmentRecord', 'AssessmentResult'].includes(table)
      const point = (organisation: string) => db.$executeRaw`
        UPDATE ${quoted(table)} SET (${own}) = (
          SELECT ${their} FROM ${quoted(target)} t WHERE t."organisationId" = ${organisation}::uuid
          ORDER BY (t."id" IN (SELECT ${quoted(set ?? '')} FROM ${quoted(table)} r WHERE r."id"::text = ${String(row?.id)})) DESC LIMIT 1
        )${isVersioned ? Prisma.sql`, "version" = "version" + 1` : Prisma.empty} WHERE "id"::text = ${String(row?.id)}`
      expect(await point(ours.org.id), `${name} must take the row that it has`).toBe(1)
      await expect(point(theirs.org.id), name).rejects.toThrow(/23503.*foreign key constraint/)
    }
  })

  test('every row that is born pointing there is refused', async () => {
    const [user, entity, template] = [await theirs.org.user(), await theirs.org.entity(), await theirs.org.template()]
    const own = await ours.org.template()
    const assessment = { name: 'x', organisationId: ours.org.id, workflowState: 'CANCELLED' as const, sections: [], changedBy: 'system:test' }
    const about = { entityId: (await ours.org.entity()).id }
    const from = { templateId: own.id, templateType: own.type }
    const refused = [
      () => ours.org.record({ userId: user.id }),
      () => ours.org.record({ assessmentDefinitionId: template.id }),
      () => ours.org.record({ assessorId: user.id }),
      () => db.assessment.create({ data: { ...assessment, entityId: entity.id, ...from } }),
      () => db.assessment.create({ data: { ...assessment, ...about, templateId: template.id, templateType: template.type } }),
      () => db.assessment.create({ data: { ...assessment, ...about, ...from, createdById: user.id } }),
      () => db.assessment.create({ data: { ...assessment, ...about, ...from, outcomeId: template.outcomes[0]?.id ?? '' } }),
      () => db.apiKey.create({ data: { organisationId: ours.org.id, userId: user.id, hash: new Uint8Array([1]) } }),
    ]
    for (const insert of refused) await expect(insert(), String(insert)).rejects.toThrow(/Foreign key constraint/)
    await db.assessment.create({ data: { ...assessment, ...about, ...from } })
  })
})

function foreignKeys(): Promise<ForeignKey[]> {
  return db.$queryRaw<ForeignKey[]>`
    SELECT conname AS "name", source.relname AS "table", target.relname AS "target",
      ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k(number, i) JOIN pg_attribute ON attrelid = conrelid AND attnum = number ORDER BY i) AS "columns",
      ARRAY(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY AS k(number, i) JOIN pg_attribute ON attrelid = confrelid AND attnum = number ORDER BY i) AS "targetColumns"
    FROM pg_constraint JOIN pg_class source ON source.oid = conrelid JOIN pg_class target ON target.oid = confrelid
    WHERE contype = 'f'`
}

function quoted(name: string): Prisma.Sql {
  return Prisma.raw(`"${name}"`)
}

/* ---- scopes ------------------------------------------------------------------------------------ */

const readingScope: Record<string, Scope> = {
  Assessment: 'ASSESSMENTS_READ',
  AssessmentRecord: 'RECORDS_READ',
  AssessmentResult: 'RESULTS_READ',
}

/** The scope that reading a type needs, which a connection and an edge share with their node. */
function scopeOf(type: string): Scope | undefined {
  return readingScope[type.replace(/(Connection|Edge)$/, '')]
}

describe('a scope', () => {
  for (const field of Object.values(rootFields('Query'))) {
    const scope = scopeOf(getNamedType(field.type).name)
    const isList = getNamedType(field.type).name.endsWith('Connection')
    const argument = field.args.find(({ name }) => name === 'id' || name === 'sourcedId')?.name
    const own = () => (argument ? { [argument]: ours.names[`${field.name}.${argument}`] } : {})
    const selections = isList ? ['nodes { id }', 'edges { cursor }', 'totalCount', 'pageInfo { hasNextPage }', '__typename'] : ['id', '__typename']

    if (scope) {
      test(`${scope} is needed for Query.${field.name}, and enough`, async () => {
        const all = await ours.org.keyWith(without(scope))
        for (const selection of selections) {
          for (const args of [own(), argument ? { [argument]: randomUUID() } : {}]) {
            await forbidden(all, operation('Query', field.name, selection), scope, args)
          }
          for (const granted of [scope, scope.replace('_READ', '_WRITE')]) {
            const key = await ours.org.keyWith(scopes.filter((it) => it === granted))
            const { data, errors } = await ask(key, operation('Query', field.name, selection), own())
            expect(errors).toBeUndefined()
            expect(data?.[field.name]).toEqual(expect.anything())
          }
        }
      })
    } else {
      test(`is not needed for Query.${field.name}`, async () => {
        const key = await ours.org.keyWith([])
        const { data, errors } = await ask(key, operation('Query', field.name, unscoped(field.name)), own())
        expect(errors).toBeUndefined()
        expect(JSON.stringify(data?.[field.name])).toContain('"id"')
      })
    }
  }

  /** How a field that leads from what anybody reads to what needs a scope is reached. */
  const ways: Record<string, (selection: string) => string> = {
    'Entity.assessments': (selection) => `{ entities { nodes { assessments { ${selection} } } } }`,
    'AssessmentTemplate.assessments': (selection) => `{ assessmentTemplates { edges { node { assessments { ${selection} } } } } }`,
    'AssessmentTemplate.records': (selection) => `{ assessmentTemplates { nodes { records { ${selection} } } } }`,
    'AssessmentLineItem.results': (selection) => `{ assessmentLineItems { nodes { results { ${selection} } } } }`,
  }
  const crossings = fieldsInto(readingScope)

  test('every way from what anybody reads to what needs one is tried', () => {
    expect(crossings.map(({ place }) => place).sort()).toEqual(Object.keys(ways).sort())
  })

  test.each(crossings)('$scope is needed for $place, its totalCount and its page alone too', async ({ place, scope }) => {
    const way = ways[place] ?? String
    for (const selection of ['nodes { id }', 'edges { node { id } }', 'edges { cursor }', 'totalCount', 'pageInfo { endCursor }', '__typename']) {
      await forbidden(await ours.org.keyWith(without(scope)), way(selection), scope)
      await forbidden(await ours.org.keyWith([]), way(selection), scope)
      const { errors } = await ask(await ours.org.keyWith([scope]), way(selection))
      expect(errors).toBeUndefined()
    }
  })

  test('is needed again on the way from what another one reads', async () => {
    const records = await ours.org.keyWith(['RECORDS_READ'])
    await forbidden(records, '{ assessmentRecords { nodes { assessmentDefinition { assessments { totalCount } } } } }', 'ASSESSMENTS_READ')
    const results = await ours.org.keyWith(['RESULTS_WRITE'])
    await forbidden(results, '{ assessmentResults { nodes { id } } assessmentRecords { totalCount } }', 'RECORDS_READ')
    const assessments = await ours.org.keyWith(['ASSESSMENTS_WRITE'])
    await forbidden(assessments, '{ assessments { nodes { template { records { nodes { id } } } } } }', 'RECORDS_READ')
  })

  test('is not needed for folders and score scales, where they are reached', async () => {
    const record = await ask(await ours.org.keyWith(['RECORDS_READ']), '{ assessmentRecords { nodes { folder { id name } } } }')
    expect(record.errors).toBeUndefined()
    expect(record.data).toMatchObject({ assessmentRecords: { nodes: [{ folder: { id: someText } }] } })
    const scale = await ask(await ours.org.keyWith([]), '{ assessmentLineItems { nodes { scoreScale { id values { itemValueLHS } } } } }')
    expect(scale.errors).toBeUndefined()
    expect(scale.data).toMatchObject({ assessmentLineItems: { nodes: [{ scoreScale: { id: someText } }] } })
  })
})

/** All scopes but the one and the writing one that includes it. */
function without(scope: Scope): Scope[] {
  return scopes.filter((it) => it !== scope && it !== scope.replace('_READ', '_WRITE'))
}

async function forbidden(key: string, query: string, scope: Scope, variables: Arguments = {}): Promise<void> {
  const { data, errors } = await ask(key, query, variables)
  expect(errors?.length).toBeGreaterThan(0)
  for (const error of errors ?? []) expect(error).toMatchObject({ extensions: { code: 'FORBIDDEN', requiredScope: scope } })
  expect(uuidsIn(data).length, 'nothing is told').toBe(0)
}

/** What a field of Query answers, without what needs a scope. */
function unscoped(name: string): string {
  const type = getNamedType(rootField('Query', name).type)
  if (!isCompositeType(type)) throw new Error(`${name} answers nothing that has fields.`)
  if (name === 'viewer') return 'organisation { id companyId name } user { id } scopes'
  const node = schema.getType(type.name.replace('Connection', ''))
  if (!isObjectType(node)) throw new Error(`${type.name} is no connection.`)
  const selection = everythingOf(node, 0)
  return type === node ? selection : `totalCount nodes { ${selection} } edges { cursor node { id } }`
}

/** The fields of types that anybody reads whose own type needs a scope. */
function fieldsInto(scoped: Record<string, Scope>): { place: string; scope: Scope }[] {
  return Object.values(schema.getTypeMap()).flatMap((type) => {
    if (!isObjectType(type) || type.name === 'Query' || !typesBelowQuery().has(type.name) || scopeOf(type.name)) return []
    return Object.values(type.getFields()).flatMap((field) => {
      const scope = scopeOf(getNamedType(field.type).name)
      return scope && Object.values(scoped).includes(scope) ? [{ place: `${type.name}.${field.name}`, scope }] : []
    })
  })
}

/* ---- answers ----------------------------------------------------------------------------------- */

const someText: unknown = expect.any(String)

/** Reads all that Query shows, three relations deep: the UUIDs in it, and the types. */
async function everythingReadBy({ org, names }: Tenant): Promise<{ uuids: string[]; types: Set<string> }> {
  const answers: unknown[] = []
  for (const field of Object.values(rootFields('Query'))) {
    const type = getNamedType(field.type)
    if (!isCompositeType(type)) continue
    const id = names[`${field.name}.id`] ?? names[`${field.name}.sourcedId`]
    const { data, errors } = await ask(org.key, operation('Query', field.name, everythingOf(type, 3)), { id, sourcedId: id, first: 100 })
    expect(errors).toBeUndefined()
    expect(data?.[field.name]).toEqual(expect.anything())
    answers.push(data)
  }
  const types = [...JSON.stringify(answers).matchAll(/"__typename":"(\w+)"/g)].map(([, name = '']) => name)
  return { uuids: uuidsIn(answers), types: new Set(types) }
}

function uuidsIn(value: unknown): string[] {
  return [...new Set(JSON.stringify(value ?? null).match(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi) ?? [])]
}

/** Every object type that can be reached from Query. */
function typesBelowQuery(): Set<string> {
  const found = new Set<string>()
  const visit = (name: string) => {
    const type = schema.getType(name)
    if (!isObjectType(type) || found.has(name)) return
    found.add(name)
    for (const field of Object.values(type.getFields())) visit(getNamedType(field.type).name)
  }
  for (const field of Object.values(rootFields('Query'))) visit(getNamedType(field.type).name)
  found.delete('Query')
  return found
}

/** Everything of an organisation that is versioned, and its revisions. */
async function rowsOf({ id: organisationId }: Story): Promise<unknown[]> {
  const by = { where: { organisationId }, orderBy: { id: 'asc' as const } }
  return [
    ...(await db.assessment.findMany(by)),
    ...(await db.assessmentRecord.findMany(by)),
    ...(await db.assessmentResult.findMany(by)),
    ...(await db.revision.findMany(by)),
  ]
}
