// Somebody who follows an assessment over server-sent events.
import { expect } from 'vitest'
import { z } from 'zod'
import type { createServer } from '../../src/server/server.js'
import { afterTest } from '../gateway-process.js'
import type { Story } from '../story.js'

const event = z.object({
  data: z
    .object({
      assessmentChanged: z.object({
        version: z.number(),
        changedPaths: z.array(z.string()),
        actor: z.string(),
        assessment: z.looseObject({ version: z.number(), name: z.string() }),
      }),
    })
    .nullish(),
  errors: z.array(z.object({ message: z.string(), extensions: z.looseObject({ code: z.string() }) })).optional(),
})
export type Event = z.output<typeof event>

type Server = Pick<ReturnType<typeof createServer>, 'fetch'>

const SELECTION = 'version name entity { name } history(last: 1) { nodes { actor } }'

/** Subscribes with a key or another credential, and reads one event at a time. `selection`: of the assessment. */
export async function subscribe(server: Server, credential: string | Record<string, string>, id: string, { sinceVersion = null, selection = SELECTION }: { sinceVersion?: number | null; selection?: string } = {}) {
  const gone = new AbortController()
  const response = await server.fetch('http://gateway.test/graphql', {
    method: 'POST',
    signal: gone.signal,
    headers: {
      ...(typeof credential === 'string' ? { apikey: credential } : credential),
      'content-type': 'application/json',
      accept: 'text/event-stream',
    },
    body: JSON.stringify({
      query: `subscription ($id: ID!, $sinceVersion: Int) {
        assessmentChanged(id: $id, sinceVersion: $sinceVersion) {
          version changedPaths actor assessment { ${selection} }
        }
      }`,
      variables: { id, sinceVersion },
    }),
  })
  const reader = response.body?.getReader()
  if (!reader) throw new Error('The subscription has no body.')
  const leave = () => reader.cancel()
  afterTest(leave)
  const decoder = new TextDecoder()
  let buffered = ''
  return {
    status: response.status,
    leave,
    /** The next event; null when the stream has ended. */
    async next(): Promise<Event | null> {
      for (;;) {
        const end = buffered.indexOf('\n\n')
        const block = buffered.slice(0, Math.max(end, 0))
        const data = /^data: ?(.+)$/m.exec(block)?.[1]
        if (end >= 0) buffered = buffered.slice(end + 2)
        if (data) return event.parse(JSON.parse(data))
        if (end >= 0) continue
        const { done, value } = await reader.read()
        if (done) return null
        buffered += decoder.decode(value, { stream: true })
      }
    },
  }
}

export async function rename(server: Server, org: Story, id: string, name: string): Promise<void> {
  const response = await server.fetch('http://gateway.test/graphql', {
    method: 'POST',
    headers: { apikey: org.key, 'content-type': 'application/json' },
    body: JSON.stringify({
      query: 'mutation ($id: ID!, $name: String) { updateAssessment(id: $id, input: { name: $name }) { __typename } }',
      variables: { id, name },
    }),
  })
  expect(await response.json()).toMatchObject({ data: { updateAssessment: { __typename: 'UpdateAssessmentSuccess' } } })
}

