// What the clients of scripts/soak.ts do: queries, nested lists, writes of which some conflict,
// subscriptions that come and go, references of a gateway, and documents that are never the same.
import { z } from 'zod'
import { pick } from '../test/lost-updates/random.js'

const ids = z.object({
  assessments: z.object({ nodes: z.array(z.object({ id: z.string() })).min(1) }),
  assessmentRecords: z.object({ nodes: z.array(z.object({ id: z.string() })).min(1) }),
  assessmentLineItems: z.object({ nodes: z.array(z.object({ sourcedId: z.string() })).min(1) }),
  users: z.object({ nodes: z.array(z.object({ sourcedId: z.string().nullable() })).min(1) }),
})
const versioned = z.object({ row: z.object({ version: z.number() }).nullable() })
const written = z.object({ written: z.object({ __typename: z.string() }) })

const NESTED = `{
  assessments(first: 20) {
    totalCount
    pageInfo { hasNextPage endCursor }
    edges { cursor node {
      id version name status
      entity { name assessments(first: 5) { nodes { id name } } }
      template { name outcomes { name } }
      history(first: 3) { nodes { version actor changedPaths } }
      sections { title questions { text answer { key } } }
    } }
  }
  assessmentRecords(first: 10) { nodes { id status user { name } assessmentDefinition { name } assessor { name } } }
  assessmentLineItems(first: 5) { nodes { title results(first: 5) { nodes { score student { name } } } } }
}`
const UPDATE = `mutation ($id: ID!, $expectedVersion: Int, $name: String) {
  written: updateAssessment(id: $id, expectedVersion: $expectedVersion, input: { name: $name }) {
    __typename ... on ConflictError { actualVersion changedPaths current { version ... on Assessment { name } } }
  }
}`
const UPDATE_RECORD = `mutation ($id: ID!, $expectedVersion: Int, $date: DateTime) {
  written: updateAssessmentRecord(id: $id, expectedVersion: $expectedVersion, input: { assessmentDate: $date }) { __typename }
}`
const PUT = `mutation ($sourcedId: ID!, $input: PutAssessmentResultInput!) {
  written: putAssessmentResult(sourcedId: $sourcedId, input: $input) { __typename }
}`
const ENTITIES = `query ($of: [_Any!]!) { _entities(representations: $of) { ... on Assessment { name } ... on AssessmentRecord { status } } }`
/** More than any cache of documents keeps. */
const DOCUMENTS = 1_500

export class Load {
  readonly counts = { requests: 0, writes: 0, conflicts: 0, events: 0, subscriptions: 0, documents: 0 }
  readonly errors: string[] = []
  #stopped = false

  constructor(
    readonly url: string,
    readonly key: string,
  ) {}

  stop(): void {
    this.#stopped = true
  }

  /** Brings whatever remembers documents to its full size. */
  async fillCaches(): Promise<void> {
    while (this.counts.documents < DOCUMENTS) await Promise.all(Array.from({ length: 20 }, () => this.#newDocument()))
  }

  /** One client, until all are stopped. */
  async run(random: () => number): Promise<void> {
    const rows = await this.#send(
      ids,
      `{ assessments(first: 20, filter: { status: [DRAFT], workflowState: [ACTIVE] }) { nodes { id } } assessmentRecords(first: 20) { nodes { id } }
         assessmentLineItems(first: 5) { nodes { sourcedId } } users(first: 20) { nodes { sourcedId } } }`,
    )
    if (!rows) return
    const assessment = () => pick(random, rows.assessments.nodes).id
    const record = () => pick(random, rows.assessmentRecords.nodes).id
    const write = (query: string, variables: object) => this.#write(query, variables)
    const actions = [
      () => this.#send(z.unknown(), NESTED),
      () => this.#send(versioned, 'query ($id: ID!) { row: assessment(id: $id) { version name workflow { state } } }', { id: assessment() }),
      () => this.#send(z.unknown(), '{ assessmentResults(first: 20) { totalCount nodes { score assessmentLineItem { title } } } viewer { scopes } }'),
      () => this.#send(z.unknown(), ENTITIES, { of: rows.assessments.nodes.map(({ id }) => ({ __typename: 'Assessment', id })) }),
      () => this.#newDocument(),
      async () => {
        const id = assessment()
        const seen = await this.#send(versioned, 'query ($id: ID!) { row: assessment(id: $id) { version } }', { id })
        // What was read a moment ago, or what nobody can have read.
        const expectedVersion = random() < 0.3 ? 0 : seen?.row?.version
        await write(UPDATE, { id, expectedVersion, name: `soak ${random()}` })
      },
      () => write(UPDATE_RECORD, { id: record(), date: new Date(Date.UTC(2020, 0, 1) + Math.floor(random() * 1e9)).toISOString() }),
      () =>
        write(PUT, {
          sourcedId: `soak ${Math.floor(random() * 50)}`,
          input: {
            status: 'ACTIVE',
            assessmentLineItemSourcedId: pick(random, rows.assessmentLineItems.nodes).sourcedId,
            studentSourcedId: pick(random, rows.users.nodes).sourcedId,
            scoreDate: '2026-03-04T10:30:00.000Z',
            scoreStatus: 'SUBMITTED',
            comment: `soak ${random()}`,
          },
        }),
      () => this.#subscribe(assessment()),
    ]
    while (!this.#stopped) await pick(random, actions)()
  }

  async #newDocument(): Promise<void> {
    this.counts.documents += 1
    const name = `document${this.counts.documents}`
    await this.#send(z.unknown(), `query ${name} { ${name}: entities(first: 2) { nodes { id name } } }`)
  }

  async #write(query: string, variables: object): Promise<void> {
    const answer = await this.#send(written, query, variables)
    if (answer?.written.__typename === 'ConflictError') this.counts.conflicts += 1
    else if (answer?.written.__typename.endsWith('Success')) this.counts.writes += 1
    else if (answer) this.errors.push(`${query} answered ${answer.written.__typename}`)
  }

  /** Opens one, lets a write happen, waits for an event, and goes away in the middle of it. */
  async #subscribe(id: string): Promise<void> {
    this.counts.subscriptions += 1
    const before = await this.#send(versioned, 'query ($id: ID!) { row: assessment(id: $id) { version } }', { id })
    const query = `subscription ($id: ID!, $sinceVersion: Int) { assessmentChanged(id: $id, sinceVersion: $sinceVersion) { version assessment { name } } }`
    const response = await this.#post(query, { id, sinceVersion: before?.row?.version }, 'text/event-stream')
    const reader = response?.body?.getReader()
    if (!reader) return
    await this.#write(UPDATE, { id, name: 'seen by a subscriber' })
    const decoder = new TextDecoder()
    let text = ''
    while (!text.includes('event: next')) {
      const { done, value } = await reader.read()
      if (done) break
      text += decoder.decode(value, { stream: true })
    }
    if (text.includes('event: next') && !text.includes('"errors"')) this.counts.events += 1
    else this.errors.push(`a subscription ended with ${text}`)
    await reader.cancel()
  }

  /** Undefined, and an error counted, when it is not answered without any error. */
  async #send<Schema extends z.ZodType>(schema: Schema, query: string, variables: object = {}): Promise<z.output<Schema> | undefined> {
    const response = await this.#post(query, variables, 'application/json')
    const text = await response?.text()
    if (text === undefined) return undefined
    const { data, errors } = z.object({ data: z.unknown(), errors: z.unknown() }).partial().parse(JSON.parse(text))
    const answer = schema.safeParse(data)
    if (answer.success && errors === undefined) return answer.data
    this.errors.push(`${query} answered ${text.slice(0, 500)}`)
    return undefined
  }

  async #post(query: string, variables: object, accept: string): Promise<Response | undefined> {
    this.counts.requests += 1
    const headers = { apikey: this.key, 'content-type': 'application/json', accept }
    try {
      return await fetch(this.url, { method: 'POST', headers, body: JSON.stringify({ query, variables }), signal: AbortSignal.timeout(60_000) })
    } catch (error) {
      this.errors.push(`${query} got no answer: ${String(error)}`)
      return undefined
    }
  }
}
