// A frontend's client: documents from operations/, their types from the schema, over a real port.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { gateway } from '../gateway.js'
import {
  AssessmentDocument,
  type TypedDocumentString,
  UpdateAssessmentDocument,
  type UpdateAssessmentInput,
  type UpdateAssessmentMutation,
} from '../generated/graphql.js'
import { anOrganisation } from '../story.js'

/* ---- the client -------------------------------------------------------------------------------- */

class Client {
  constructor(
    private readonly url: string,
    private readonly key: string,
  ) {}

  async send<Result, Variables>(document: TypedDocumentString<Result, Variables>, variables: Variables): Promise<Result> {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: { apikey: this.key, 'content-type': 'application/json' },
      body: JSON.stringify({ query: document.toString(), variables }),
    })
    const body: unknown = await response.json()
    if (!answers(document, body)) throw new Error(`HTTP ${response.status}: ${JSON.stringify(body)}`)
    return body.data
  }

  /**
   * Saves what the user changed in an assessment that was read at `version`. What somebody else
   * changed since is kept when it is something else; otherwise the user has to decide.
   */
  async save(id: string, version: number, mine: UpdateAssessmentInput): Promise<Saved | Undecided> {
    for (let expectedVersion = version; ; ) {
      const { updateAssessment: answer } = await this.send(UpdateAssessmentDocument, { id, expectedVersion, input: mine })
      if (answer?.__typename === 'UpdateAssessmentSuccess') return { outcome: 'saved', assessment: answer.assessment }
      if (answer?.__typename !== 'ConflictError' || answer.current.__typename !== 'Assessment') {
        throw new Error(answer?.message ?? 'The answer is empty.')
      }
      const disputed = answer.changedPaths.filter((path) => path in mine)
      if (disputed.length > 0) return { outcome: 'undecided', disputed, theirs: answer.current, version: answer.actualVersion }
      expectedVersion = answer.actualVersion
    }
  }
}

type Answer = NonNullable<UpdateAssessmentMutation['updateAssessment']>
type Conflict = Extract<Answer, { __typename: 'ConflictError' }>

interface Saved {
  outcome: 'saved'
  assessment: Extract<Answer, { __typename: 'UpdateAssessmentSuccess' }>['assessment']
}

interface Undecided {
  outcome: 'undecided'
  disputed: string[]
  theirs: Extract<Conflict['current'], { __typename: 'Assessment' }>
  /** What to send when the user has decided. */
  version: number
}

/** The server answers a document as its schema says, which the document's types were made from. */
function answers<Result, Variables>(_document: TypedDocumentString<Result, Variables>, body: unknown): body is { data: Result } {
  return typeof body === 'object' && body !== null && 'data' in body && !('errors' in body)
}

/* ---- what it can do ---------------------------------------------------------------------------- */

describe('a typed client', () => {
  const server = createServer(gateway.listener)
  let url = ''

  beforeAll(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (typeof address !== 'object' || !address) throw new Error('The server has no port.')
    url = `http://127.0.0.1:${address.port}/graphql`
  })

  afterAll(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })

  /** Two people of one organisation who have both read the same assessment. */
  async function twoPeople() {
    const org = await anOrganisation()
    const { id } = await org.assessment({ name: 'Acme, spring' })
    const [ann, bob] = [new Client(url, org.key), new Client(url, await org.keyWith(['ASSESSMENTS_WRITE']))]
    const { assessment } = await ann.send(AssessmentDocument, { id })
    if (!assessment) throw new Error('The assessment is not there.')
    return { ann, bob, id, version: assessment.version }
  }

  test('reads, writes and reads what it has written', async () => {
    const { ann, id, version } = await twoPeople()
    const saved = await ann.save(id, version, { status: 'ANALYZING', progress: 50 })
    expect(saved).toMatchObject({ outcome: 'saved', assessment: { id, version: 2, status: 'ANALYZING', progress: 50 } })
    const { assessment } = await ann.send(AssessmentDocument, { id })
    expect(assessment).toMatchObject({ name: 'Acme, spring', status: 'ANALYZING', version: 2 })
    expect(assessment?.history.nodes[0]).toMatchObject({ version: 2, changedPaths: ['status', 'progress'] })
  })

  test('merges by itself what somebody else has changed elsewhere', async () => {
    const { ann, bob, id, version } = await twoPeople()
    await bob.save(id, version, { companyName: 'Acme Ltd', progress: 30 })
    await bob.save(id, version + 1, { companyType: null })
    const saved = await ann.save(id, version, { name: 'Acme, autumn', status: 'ACTION_REQUIRED' })
    expect(saved).toMatchObject({
      outcome: 'saved',
      assessment: {
        version: 4,
        name: 'Acme, autumn',
        status: 'ACTION_REQUIRED',
        companyName: 'Acme Ltd',
        companyType: null,
        progress: 30,
      },
    })
  })

  test('asks when both have changed the same, and saves what was decided', async () => {
    const { ann, bob, id, version } = await twoPeople()
    await bob.save(id, version, { name: 'Acme, by Bob', progress: 30 })
    const asked = await ann.save(id, version, { name: 'Acme, by Ann', companyName: 'Acme Ltd' })
    expect(asked).toMatchObject({
      outcome: 'undecided',
      disputed: ['name'],
      theirs: { name: 'Acme, by Bob', progress: 30, companyName: 'Acme Coffee' },
      version: 2,
    })
    const unchanged = await ann.send(AssessmentDocument, { id })
    expect(unchanged.assessment).toMatchObject({ name: 'Acme, by Bob', version: 2 })

    if (asked.outcome !== 'undecided') throw new Error('There was nothing to decide.')
    const saved = await ann.save(id, asked.version, { name: `${asked.theirs.name} and Ann`, companyName: 'Acme Ltd' })
    expect(saved).toMatchObject({
      outcome: 'saved',
      assessment: { version: 3, name: 'Acme, by Bob and Ann', companyName: 'Acme Ltd', progress: 30 },
    })
  })

  test('many who change different fields at once all succeed, and nobody’s change is lost', async () => {
    const { ann, bob, id, version } = await twoPeople()
    const saved = await Promise.all([
      ann.save(id, version, { name: 'Acme, autumn' }),
      bob.save(id, version, { companyName: 'Acme Ltd' }),
      ann.save(id, version, { companyType: 'Limited company' }),
      bob.save(id, version, { progress: 80 }),
    ])
    expect(saved.map(({ outcome }) => outcome)).toEqual(['saved', 'saved', 'saved', 'saved'])
    const last = await ann.save(id, version + 4, {})
    expect(last).toMatchObject({
      outcome: 'saved',
      assessment: { version: 6, name: 'Acme, autumn', companyName: 'Acme Ltd', companyType: 'Limited company', progress: 80 },
    })
  })
})
