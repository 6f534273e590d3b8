// The one list of assertions that every write must satisfy, for each field of Mutation.
import { randomUUID } from 'node:crypto'
import { describe, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { createSession } from '../src/organisations/service.js'
import { isFailure } from '../src/domain/failures.js'
import { scopes } from '../src/domain/scopes.js'
import { afterWriting, gatewayWith, takeConnection, withOneConnection } from './after-writing.js'
import { type Arguments, everythingOf, leavesOf, operation, rootField, rootFields, valueAt, withValueAt } from './documents.js'
import { ask, askWith, tellExchangesOfFailedTests } from './exchanges.js'
import { answer, database, db, post, statementsOf } from './gateway.js'
import { type Arranged, documentOf, type Enrolled, enrolled, expecting } from './mutations.js'
import { anOrganisation, type Story } from './story.js'
import { schema } from '../src/server/schema.js'
import { isObjectType } from 'graphql'

tellExchangesOfFailedTests()

const isPostgres = 'url' in inject('database')
const ABOVE = 2_147_483_647
const someText: unknown = expect.any(String)
/** The whole payload shows relations, which have scopes of their own. */
const reading = scopes.filter((scope) => scope.endsWith('_READ'))

test('every mutation of the schema is enrolled', () => {
  expect(new Set(enrolled.map(({ mutation }) => mutation))).toEqual(new Set(Object.keys(rootFields('Mutation'))))
})

describe.each(enrolled.map((it) => [`${it.mutation} ${it.does} an ${it.kind}`, it] as const))('%s', (_name, it) => {
  const changes = it.does === 'changes'

  test('succeeds with one new version and one revision that names the key and what changed', async () => {
    const { org, arranged } = await arrange(it)
    const before = await stateOf(org)
    const [added, row] = await addedBy(org, () => succeed(it, org.key, arranged.args))
    const key = await db.apiKey.findFirstOrThrow({ where: { organisationId: org.id } })
    expect(added).toEqual([
      {
        ...subjectOf(it, row.id),
        version: changes ? 2 : 1,
        changedPaths: arranged.paths,
        actor: `key:${key.id}`,
        requestId: someText,
        changedAt: row.updatedAt,
      },
    ])
    expect(row.version).toBe(changes ? 2 : 1)
    if (changes) expect(row.id).toBe(arranged.id)
    expect(rowsOf(await stateOf(org)).length).toBe(rowsOf(before).length + (changes ? 0 : 1))
  })

  test('answers the row as it was written', async () => {
    const { org, arranged } = await arrange(it)
    const success = await succeed(it, org.key, arranged.args)
    const [row] = rowsOf(await stateOf(org)).filter(({ id }) => arranged.id === null || id === arranged.id)
    const answered = valueAt(success, it.conflictIn === 'details' ? ['details', '0', 'assessment'] : [fieldOf(it)])
    expect(answered).toMatchObject({ id: row?.id, version: row?.version, updatedAt: row?.updatedAt.toISOString() })
    expect(await withoutRelations(it, answered)).toEqual(await withoutRelations(it, await readBack(it, org, row?.id ?? '')))
  })

  test('names the session that wrote', async () => {
    const { org, arranged } = await arrange(it)
    const { subject } = await org.user({ subject: randomUUID() })
    const session = await createSession(db, { organisationId: org.id, subject: subject ?? '', scopes: [it.scope, ...reading], minutes: 5 })
    if (isFailure(session)) throw new Error(session.message)
    const [[revision]] = await addedBy(org, async () => {
      const { data } = await askWith({ 'x-session-token': session.token }, documentOf(it), arranged.args)
      expect(data).toMatchObject({ [it.mutation]: { __typename: successOf(it) } })
    })
    expect(revision?.actor).toBe(`session:${session.id}`)
  })

  test('leaves a revision that names its request', async () => {
    const { org, arranged } = await arrange(it)
    const requestId = randomUUID()
    await addedBy(org, async () => {
      const response = await post({ apikey: org.key, 'x-request-id': requestId }, operation('Mutation', it.mutation, '__typename'), arranged.args)
      expect(response.headers.get('x-request-id')).toBe(requestId)
      expect(await response.json()).toMatchObject({ data: { [it.mutation]: { __typename: successOf(it) } } })
    })
    const named = await db.revision.findMany({ where: { organisationId: org.id, requestId } })
    expect(named).toHaveLength(1)
  })

  test('is done once when nothing of the answer is asked for but its __typename', async () => {
    const { org, arranged } = await arrange(it)
    const [added] = await addedBy(org, async () => {
      const { data, errors } = await ask(org.key, operation('Mutation', it.mutation, '__typename'), arranged.args)
      expect(errors).toBeUndefined()
      expect(data).toEqual({ [it.mutation]: { __typename: successOf(it) } })
    })
    expect(added).toHaveLength(1)
    expect(added[0]?.version).toBe(changes ? 2 : 1)
  })

  test('makes the change and its revision in one statement', async () => {
    const { org, arranged } = await arrange(it)
    const statements = await statementsOf(() => succeed(it, org.key, arranged.args))
    expect(statements.filter((sql) => /\b(INSERT INTO|UPDATE|DELETE FROM)\s+"?\w/i.test(sql.replace(/FOR UPDATE/g, '')))).toHaveLength(1)
  })

  test(it.repeatIsWrite ? 'counts as a version also when it changes nothing' : 'leaves no version when repeated', async () => {
    const { org, arranged } = await arrange(it)
    await succeed(it, org.key, arranged.args)
    const before = await stateOf(org)
    const [added] = await addedBy(org, () => send(it, org.key, arranged.args))
    if (!it.repeatIsWrite) return expect(await stateOf(org)).toEqual(before)
    expect(added).toMatchObject([{ version: changes ? 3 : 2, changedPaths: [] }])
  })

  test('needs its scope, for which the reading one and all others are not enough', async () => {
    const { org, arranged } = await arrange(it)
    const lookUp = await statementsOf(() => ask(org.key, '{ __typename }'))
    const answer = { __typename: 'ForbiddenError', message: someText, ids: [], requiredScope: it.scope }
    for (const granted of [[], reading, scopes.filter((scope) => scope !== it.scope)]) {
      await unchanged(org, it, await org.keyWith(granted), arranged.args, answer, lookUp)
    }
    await succeed(it, await org.keyWith([it.scope, ...reading]), arranged.args)
  })

  test('answers one and the same for an id that is malformed, unknown or of another organisation', async () => {
    const { org, arranged } = await arrange(it)
    const other = await arrange(it)
    const before = await stateOf(other.org)
    for (const [place, wrong] of Object.entries(it.ids)) {
      const path = place.split('.')
      const theirs = z.string().parse(valueAt(naming(it, other.arranged.args, place), path))
      const ids = [randomUUID(), theirs, theirs.toUpperCase(), ...(place === 'sourcedId' ? [] : MALFORMED)]
      const told = new Set<string>()
      for (const id of ids) {
        const answer = {
          NotFoundError: { __typename: 'NotFoundError', ids: [id], message: someText },
          ForbiddenError: { __typename: 'ForbiddenError', ids: [id], requiredScope: null, message: someText },
          ValidationError: {
            __typename: 'ValidationError',
            issues: [{ __typename: 'ValidationIssue', path, code: 'UNKNOWN', message: someText }],
            message: someText,
          },
        }[wrong]
        const payload = await unchanged(org, it, org.key, withValueAt(naming(it, arranged.args, place), path, id), answer)
        told.add(String(payload['message']).replace(id, ''))
      }
      expect(told.size, [...told].join('\n')).toBe(1)
    }
    expect(await stateOf(other.org)).toEqual(before)
  })

  test('is enrolled with every id that it takes', () => {
    const places = leavesOf(rootField('Mutation', it.mutation), 'ID').map(({ path }) => path.join('.'))
    // The sourcedId of what is created is the caller's to choose.
    const named = places.filter((place) => changes || place !== 'sourcedId')
    expect(new Set(Object.keys(it.ids))).toEqual(new Set(named))
  })

  test('names all ids that are not there together', async () => {
    const { org, arranged } = await arrange(it)
    const places = Object.keys(it.ids).filter((place) => it.ids[place] !== 'ValidationError')
    const named = places.map((place) => ({ path: place.split('.'), id: randomUUID() }))
    const args = named.reduce((all, { path, id }) => withValueAt(all, path, id), naming(it, arranged.args, places[0] ?? ''))
    const refusal: unknown = expect.objectContaining({ __typename: it.ids[places[0] ?? ''] })
    const answer = await unchanged(org, it, org.key, args, refusal)
    expect(new Set(z.array(z.string()).parse(answer['ids']))).toEqual(new Set(named.map(({ id }) => id)))
  })

  test('refuses U+0000 and unpaired surrogates with the place, before any SQL', async () => {
    const { org, arranged } = await arrange(it)
    const lookUp = await statementsOf(() => ask(org.key, '{ __typename }'))
    const field = rootField('Mutation', it.mutation)
    const texts = leavesOf(field, 'String').map(({ path }) => ({ path, wrong: ['a\u0000b', '\u0000', 'a\ud800b', '\udc00'] }))
    const objects = leavesOf(field, 'JSONObject').map(({ path }) => ({
      path,
      wrong: [{ a: ['b\u0000'] }, { 'a\u0000': 1 }, { a: { 'b\ud800': null } }, { a: '\udc00' }],
    }))
    // The only id that a caller makes up; all others merely name nothing.
    const made = it.mutation === 'putAssessmentResult' ? [{ path: ['sourcedId'], wrong: ['a\u0000b', 'a\ud800b'] }] : []
    for (const { path, wrong } of [...texts, ...objects, ...made]) {
      for (const value of wrong) {
        const issue = { __typename: 'ValidationIssue', path, code: 'INVALID_FORMAT', message: someText }
        const answer = { __typename: 'ValidationError', message: someText, issues: [issue] }
        await unchanged(org, it, org.key, withValueAt(arranged.args, path, value), answer, lookUp)
      }
    }
  })

  test('answers an id with U+0000 or an unpaired surrogate like any that is not there', async () => {
    const { org, arranged } = await arrange(it)
    for (const [place, wrong] of Object.entries(it.ids)) {
      if (place === 'sourcedId') continue
      for (const id of ['\u0000', '\ud800']) {
        const args = withValueAt(naming(it, arranged.args, place), place.split('.'), id)
        await unchanged(org, it, org.key, args, expect.objectContaining({ __typename: wrong }))
      }
    }
  })

  test('sends nothing to the database for an id that is too long for any row', async () => {
    const { org, arranged } = await arrange(it)
    for (const [place, wrong] of Object.entries(it.ids)) {
      if (place === 'sourcedId') continue
      const statements = async (id: string) => {
        const args = withValueAt(naming(it, arranged.args, place), place.split('.'), id)
        return statementsOf(async () => expect(await send(it, org.key, args)).toMatchObject({ __typename: wrong }))
      }
      const [unknown, tooLong] = [await statements(randomUUID()), await statements('x'.repeat(300))]
      // What a ValidationError is about is looked for in a row that is there.
      if (wrong === 'ValidationError') expect(tooLong, place).toEqual(unknown)
      else expect(tooLong.length, place).toBeLessThan(unknown.length)
    }
  })

  test('checks scope, then the input alone, then ids, then the version, then the state', async () => {
    const { org, arranged } = await arrange(it)
    const { args: refusedByState, answer } = await arranged.refusedByState()
    const stale = it.conflictIn === 'payload' && it.expectedVersionAt && changes ? expecting(it, refusedByState, ABOVE) : refusedByState
    const place = Object.keys(it.ids).find((path) => it.ids[path] !== 'ValidationError') ?? ''
    const notThere = withValueAt(stale, place.split('.'), randomUUID())
    const invalid = invalidInput(it, notThere)

    const lookUp = await statementsOf(() => ask(org.key, '{ __typename }'))
    await unchanged(org, it, await org.keyWith([]), invalid.args, expect.objectContaining({ __typename: 'ForbiddenError' }), lookUp)
    const invalidAnswer = await unchanged(org, it, org.key, invalid.args, expect.objectContaining({ __typename: 'ValidationError' }), lookUp)
    expect(new Set(issuesOf(invalidAnswer).map(({ path }) => path.join('.')))).toEqual(new Set(invalid.places))
    await unchanged(org, it, org.key, notThere, expect.objectContaining({ __typename: it.ids[place] }))
    if (stale !== refusedByState) await unchanged(org, it, org.key, stale, expect.objectContaining({ __typename: 'ConflictError' }))
    expect(await unchanged(org, it, org.key, refusedByState, expect.anything())).toMatchObject(answer)
  })

  if (it.expectedVersionAt) describe('with expectedVersion', () => {
    const path = it.expectedVersionAt ?? []

    test('below 0 is a ValidationError, before any SQL', async () => {
      const { org, arranged } = await arrange(it)
      const lookUp = await statementsOf(() => ask(org.key, '{ __typename }'))
      const issue = { __typename: 'ValidationIssue', path, code: 'OUT_OF_RANGE', message: someText }
      const answer = { __typename: 'ValidationError', message: someText, issues: [issue] }
      await unchanged(org, it, org.key, expecting(it, arranged.args, -1), answer, lookUp)
      await unchanged(org, it, org.key, expecting(it, arranged.args, -2_147_483_648), answer, lookUp)
    })

    if (!changes) test('0 means that there must be none yet', async () => {
      const { org, arranged } = await arrange(it)
      const args = expecting(it, arranged.args, 0)
      const [added, row] = await addedBy(org, () => succeed(it, org.key, args))
      expect(added).toMatchObject([{ version: 1 }])
      const answer = await conflicting(it, org, args)
      expect(answer).toMatchObject({ expectedVersion: 0, actualVersion: 1, changedPaths: arranged.paths, current: { id: row.id } })
    })

    if (!changes) test('1 and above of what is not there is a NotFoundError, and nothing is created', async () => {
      const { org, arranged } = await arrange(it)
      for (const version of [1, ABOVE]) {
        const id = arranged.args['sourcedId']
        const answer = { __typename: 'NotFoundError', ids: [id], message: someText }
        await unchanged(org, it, org.key, expecting(it, arranged.args, version), answer)
      }
    })

    if (changes) test('0 is a ConflictError', async () => {
      const { org, arranged } = await arrange(it)
      const all = await db.revision.findFirstOrThrow({ where: { organisationId: org.id, ...subjectOf(it, arranged.id ?? '') } })
      const answer = await conflicting(it, org, expecting(it, arranged.args, 0))
      expect(answer).toMatchObject({ expectedVersion: 0, actualVersion: 1, changedPaths: all.changedPaths })
      expect(all.changedPaths.length).toBeGreaterThan(5)
    })

    if (changes) test('of the row succeeds; omitted or null, the last write wins', async () => {
      const { org, arranged } = await arrange(it)
      await succeed(it, org.key, expecting(it, arranged.args, 1))
      const { args } = await arranged.next()
      const leavesOut = it.conflictIn === 'payload' ? [args, expecting(it, args, null)] : [args, { ...args, expectedVersions: null }]
      for (const given of leavesOut) expect(await send(it, org.key, given)).toMatchObject({ __typename: successOf(it) })
      const row = rowsOf(await stateOf(org)).find(({ id }) => id === arranged.id)
      expect(row?.version).toBe(it.repeatIsWrite ? 4 : 3)
    })

    if (changes) test('below that of the row is a conflict with the row as it is and exactly what changed since', async () => {
      const { org, arranged } = await arrange(it)
      await succeed(it, org.key, arranged.args)
      const next = await arranged.next()
      await succeed(it, org.key, next.args)
      const since1 = await conflicting(it, org, expecting(it, next.args, 1))
      const since2 = await conflicting(it, org, expecting(it, next.args, 2))
      expect(since1).toMatchObject({ expectedVersion: 1, actualVersion: 3, changedPaths: [...new Set([...arranged.paths, ...next.paths])] })
      expect(since2).toMatchObject({ expectedVersion: 2, actualVersion: 3, changedPaths: next.paths })
      const { current } = z.object({ current: z.looseObject({ id: z.literal(arranged.id ?? ''), version: z.literal(3) }) }).parse(since1)
      expect(current).toEqual(await readBack(it, org, current.id))
    })

    if (changes) test('above that of the row is a conflict in which nothing has changed', async () => {
      const { org, arranged } = await arrange(it)
      for (const version of [2, ABOVE]) {
        const answer = await conflicting(it, org, expecting(it, arranged.args, version))
        expect(answer).toMatchObject({ expectedVersion: version, actualVersion: 1, changedPaths: [], current: { version: 1 } })
      }
    })
  })

  if (changes) test('changes nothing when its revision cannot be written, and tells nothing of why', async () => {
    const { org, arranged } = await arrange(it)
    await db.revision.create({
      data: { ...subjectOf(it, arranged.id ?? ''), organisationId: org.id, version: 2, changedPaths: [], actor: 'system:test', changedAt: new Date() },
    })
    const before = await stateOf(org)
    const { data, errors } = await ask(org.key, documentOf(it), arranged.args)
    expect(data).toEqual({ [it.mutation]: null })
    expect(errors).toMatchObject([{ message: 'Unexpected error.', extensions: { code: 'INTERNAL_SERVER_ERROR' } }])
    expect(await stateOf(org)).toEqual(before)
  })

  describe('is never asked for again once it has written', () => {
    const shown = Object.entries(afterWriting).filter(([, { onlyPostgres }]) => !onlyPostgres || isPostgres)

    test.each(shown)('%s after that is told with the version', async (_, { fault }) => {
      const { org, arranged } = await arrange(it)
      await withOneConnection(async (connections) => {
        const { moments, meanwhile, clear } = fault(connections)
        let answered: Outcome | undefined
        const [added, row] = await addedBy(org, async () => {
          const answer = outcomeOf(post({ apikey: org.key }, documentOf(it), arranged.args, gatewayWith(connections, moments)))
          await meanwhile?.()
          answered = await answer
          await clear?.()
        })
        const message: unknown = expect.stringContaining(`Version ${row.version} of ${row.id} was written`)
        const extensions = { code: 'PARTIAL_FAILURE', written: [{ id: row.id, version: row.version }] }
        expect(added).toHaveLength(1)
        expect(answered).toMatchObject({ status: 200, retryAfter: null })
        expect(answered?.errors).not.toEqual([])
        for (const error of answered?.errors ?? []) expect(error).toMatchObject({ message, extensions })
      })
    })

    test('and it is told when nobody knows whether it has', async () => {
      const { org, arranged } = await arrange(it)
      const lost = () => {
        throw new Error('Connection terminated unexpectedly')
      }
      let answered: Outcome | undefined
      const [added] = await addedBy(org, async () => {
        answered = await outcomeOf(post({ apikey: org.key }, documentOf(it), arranged.args, gatewayWith(database, { written: lost })))
      })
      expect(added).toHaveLength(1)
      const message: unknown = expect.stringContaining('may or may not be written')
      const error = { message, path: [it.mutation], extensions: { code: 'OUTCOME_UNKNOWN', written: [] } }
      expect(answered).toMatchObject({ status: 200, retryAfter: null, data: { [it.mutation]: null }, errors: [error] })
    })

    test.runIf(isPostgres)('but is when no connection was free to write', async () => {
      const { org, arranged } = await arrange(it)
      const before = await stateOf(org)
      await withOneConnection(async (connections) => {
        const taken: { release(): void }[] = []
        const writing = async () => void taken.push(await takeConnection(connections))
        const answered = await outcomeOf(post({ apikey: org.key }, documentOf(it), arranged.args, gatewayWith(connections, { writing })))
        for (const it of taken) it.release()
        expect(taken).toHaveLength(1)
        expect(answered).toMatchObject({ status: 503, retryAfter: '1', data: { [it.mutation]: null }, errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE' } }] })
        expect(JSON.stringify(answered.errors)).not.toContain('written')
      })
      expect(await stateOf(org)).toEqual(before)
    })
  })
})

describe('all or nothing', () => {
  test('one answer that is wrong keeps the right ones from being set, and every wrong one is told', async () => {
    const org = await anOrganisation()
    const { id, sections } = await org.assessment()
    const [first, second] = sections[0]?.questions ?? []
    const it = only('answerAssessmentQuestions')
    const answers = [
      { questionId: first?.id, optionKey: 'high' },
      { questionId: second?.id, optionKey: 'no such option' },
      { questionId: randomUUID(), optionKey: 'high' },
    ]
    const answer = await unchanged(org, it, org.key, { id, answers }, expect.objectContaining({ __typename: 'ValidationError' }))
    expect(issuesOf(answer)).toMatchObject([
      { path: ['answers', '1', 'optionKey'], code: 'UNKNOWN' },
      { path: ['answers', '2', 'questionId'], code: 'UNKNOWN' },
    ])
  })

  test('one id that is not there keeps the others from being refreshed', async () => {
    const org = await anOrganisation()
    const it = only('refreshAssessments')
    const { args } = await it.arrange(org)
    const foreign = await (await anOrganisation()).assessment()
    const missing = [foreign.id, String(foreign.oid), randomUUID()]
    const assessmentIds = [...missing.slice(0, 1), ...z.array(z.string()).parse(args['assessmentIds']), ...missing.slice(1)]
    await unchanged(org, it, org.key, { assessmentIds }, expect.objectContaining({ __typename: 'ForbiddenError', ids: missing }))
  })

  test('a mutation that fails takes nothing back of the one beside it', async () => {
    const org = await anOrganisation()
    const [{ id }, { id: failing }] = [await org.assessment(), await org.assessment()]
    await db.revision.create({
      data: { assessmentId: failing, organisationId: org.id, version: 2, changedPaths: [], actor: 'system:test', changedAt: new Date() },
    })
    const { data, errors } = await ask(
      org.key,
      `mutation ($id: ID!, $failing: ID!) {
        done: updateAssessment(id: $id, input: { name: "Done" }) { ... on UpdateAssessmentSuccess { assessment { name version } } }
        failed: updateAssessment(id: $failing, input: { name: "Failed" }) { __typename }
      }`,
      { id, failing },
    )
    expect(data).toEqual({ done: { assessment: { name: 'Done', version: 2 } }, failed: null })
    expect(errors).toMatchObject([{ path: ['failed'], extensions: { code: 'PARTIAL_FAILURE', written: [{ id, version: 2 }] } }])
  })

  test('the sourcedId of another organisation’s result is free here, and theirs stays as it is', async () => {
    const [org, other] = [await anOrganisation(), await anOrganisation()]
    const theirs = await other.result()
    const before = await stateOf(other)
    const args = { sourcedId: theirs.sourcedId, expectedVersion: 0, input: await org.resultInput({ score: 1 }) }
    expect(await send(only('putAssessmentResult'), org.key, args)).toMatchObject({ __typename: 'PutAssessmentResultSuccess', created: true })
    expect(await stateOf(other)).toEqual(before)
  })
})

/* ---- asking ------------------------------------------------------------------------------------ */

const MALFORMED = ['', '77777', 'not-a-uuid', '00000000000000000000000000000000', '{00000000-0000-0000-0000-000000000000}', 'NOT-A-UUID', '999999999999999999999', "' OR 1=1", 'x'.repeat(300), '9'.repeat(300)]

/** Valid arguments that name something at a place of ids, and of a row that must be there. */
function naming(it: Enrolled, args: Arguments, place: string): Arguments {
  const isOptional = valueAt(args, place.split('.')) === undefined
  return it.does === 'changes' && (isOptional || it.conflictIn === 'payload') ? expecting(it, args, 1) : args
}

async function arrange(it: Enrolled): Promise<{ org: Story; arranged: Arranged }> {
  const org = await anOrganisation()
  return { org, arranged: await it.arrange(org) }
}

function only(mutation: string): Enrolled {
  const found = enrolled.find((it) => it.mutation === mutation)
  if (!found) throw new Error(`${mutation} is not enrolled.`)
  return found
}

/** What a client hears of a request. */
async function outcomeOf(sent: Promise<Response>) {
  const response = await sent
  const { data, errors = [] } = answer.parse(await response.json())
  return { status: response.status, retryAfter: response.headers.get('retry-after'), data, errors }
}
type Outcome = Awaited<ReturnType<typeof outcomeOf>>

type Payload = Record<string, unknown> & { __typename: string }

/** Sends a mutation that must not fail unexpectedly: its payload. */
async function send(it: Enrolled, key: string, args: Arguments): Promise<Payload> {
  const { data, errors } = await ask(key, documentOf(it), args)
  expect(errors, JSON.stringify(args)).toBeUndefined()
  return z.looseObject({ __typename: z.string() }).parse(data?.[it.mutation])
}

async function succeed(it: Enrolled, key: string, args: Arguments): Promise<Payload> {
  const payload = await send(it, key, args)
  expect(payload).toMatchObject({ __typename: successOf(it) })
  return payload
}

/** Sends a mutation that must be refused with `answer` and leave the organisation as it was. */
async function unchanged(org: Story, it: Enrolled, key: string, args: Arguments, answer: unknown, onlyStatements?: string[]): Promise<Payload> {
  const before = await stateOf(org)
  let payload: Payload = { __typename: '' }
  const statements = await statementsOf(async () => {
    payload = await send(it, key, args)
  })
  expect(payload, JSON.stringify(args)).toEqual(answer)
  if (onlyStatements) expect(statements).toEqual(onlyStatements)
  expect(await stateOf(org)).toEqual(before)
  return payload
}

/** Sends a mutation that must meet a conflict and leave the organisation as it was: the ConflictError. */
async function conflicting(it: Enrolled, org: Story, args: Arguments): Promise<Payload> {
  const success = { __typename: successOf(it), details: [{ status: 'CONFLICT' }] }
  const answer = it.conflictIn === 'details' ? success : { __typename: 'ConflictError' }
  const payload = await unchanged(org, it, org.key, args, expect.objectContaining({ __typename: answer.__typename }))
  expect(payload).toMatchObject(answer)
  const conflict = it.conflictIn === 'details' ? valueAt(payload, ['details', '0', 'conflict']) : payload
  return z.looseObject({ __typename: z.literal('ConflictError'), message: z.string().min(1) }).parse(conflict)
}

/** Arguments that break every rule that needs no stored row, and where. */
function invalidInput(it: Enrolled, args: Arguments): { args: Arguments; places: string[] } {
  const texts = leavesOf(rootField('Mutation', it.mutation), 'String').map(({ path }) => path)
  const broken = texts.reduce((all, path) => withValueAt(all, path, '\u0000'), args)
  const places = texts.map((path) => path.join('.'))
  if (!it.expectedVersionAt) return { args: broken, places }
  return { args: expecting(it, broken, -1), places: [...places, it.expectedVersionAt.join('.')] }
}

function issuesOf(payload: Payload) {
  return z.array(z.object({ path: z.array(z.string()), code: z.string() })).parse(payload['issues'])
}

function successOf({ mutation }: Enrolled): string {
  return `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Success`
}

/** The field of the success that holds the row, and of Query that reads one. */
function fieldOf({ kind }: Enrolled): string {
  return `${kind.charAt(0).toLowerCase()}${kind.slice(1)}`
}

/* ---- what is stored ---------------------------------------------------------------------------- */

/** Everything of an organisation that a mutation could touch. */
async function stateOf({ id: organisationId }: Story) {
  const by = { where: { organisationId }, orderBy: { id: 'asc' as const } }
  return {
    assessments: await db.assessment.findMany(by),
    records: await db.assessmentRecord.findMany(by),
    results: await db.assessmentResult.findMany(by),
    revisions: await db.revision.findMany(by),
    questions: await db.question.findMany(by),
  }
}

function rowsOf({ assessments, records, results }: Awaited<ReturnType<typeof stateOf>>) {
  return [...assessments, ...records, ...results]
}

/** The revisions that `act` adds, and the row of the first of them. */
async function addedBy(org: Story, act: () => Promise<unknown>) {
  const before = new Set((await stateOf(org)).revisions.map(({ id }) => id))
  await act()
  const state = await stateOf(org)
  const added = state.revisions.filter(({ id }) => !before.has(id)).map(({ id: _, organisationId: __, ...revision }) => revision)
  const first = added[0]
  const row = rowsOf(state).find(({ id }) => id === (first?.assessmentId ?? first?.assessmentRecordId ?? first?.assessmentResultId))
  return [added, row ?? { id: '', version: 0, updatedAt: new Date(0) }] as const
}

/** The columns of a revision that say whose it is. */
function subjectOf({ kind }: Enrolled, id: string) {
  return {
    assessmentId: kind === 'Assessment' ? id : null,
    assessmentRecordId: kind === 'AssessmentRecord' ? id : null,
    assessmentResultId: kind === 'AssessmentResult' ? id : null,
  }
}

/** The row as its query answers it, with its relations. */
async function readBack(it: Enrolled, org: Story, id: string): Promise<unknown> {
  const type = schema.getType(it.kind)
  if (!isObjectType(type)) throw new Error(`${it.kind} is no type.`)
  const result = it.kind === 'AssessmentResult' ? await db.assessmentResult.findUniqueOrThrow({ where: { id } }) : null
  const { data, errors } = await ask(org.key, operation('Query', fieldOf(it), everythingOf(type, 1)), { id, sourcedId: result?.sourcedId })
  expect(errors).toBeUndefined()
  return data?.[fieldOf(it)]
}

/** The fields of a row's type that are no relations. */
function withoutRelations(it: Enrolled, row: unknown): Promise<unknown> {
  const type = schema.getType(it.kind)
  if (!isObjectType(type)) throw new Error(`${it.kind} is no type.`)
  const names = everythingOf(type, 0).split(' ')
  return Promise.resolve(Object.fromEntries(names.map((name) => [name, valueAt(row, [name])])))
}
