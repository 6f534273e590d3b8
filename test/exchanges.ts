// Requests of which a failing test tells: its last ones, each with the answer.
import { beforeEach } from 'vitest'
import { z } from 'zod'
import { type Answer, post, request } from './gateway.js'

const KEPT = 2
let last: { query: string; variables: object | undefined; answer: unknown }[] = []

/** To be called at the top of a test file. */
export function tellExchangesOfFailedTests(): void {
  beforeEach(({ onTestFailed }) => {
    last = []
    onTestFailed(() => {
      for (const { query, variables, answer } of last) {
        process.stderr.write(`\n${query}\n${JSON.stringify(variables)}\nanswered ${JSON.stringify(answer, null, 2).slice(0, 4_000)}\n`)
      }
    })
  })
}

/** Sends a request with an API key. */
export async function ask(key: string, query: string, variables?: object): Promise<Answer> {
  return keep(query, variables, await request(key, query, variables))
}

const anyAnswer = z.object({ data: z.record(z.string(), z.unknown()).nullish(), errors: z.array(z.object({ message: z.string() })).optional() })

/** Sends a request with any headers. */
export async function askWith(headers: Record<string, string>, query: string, variables?: object): Promise<Answer> {
  const response = await post(headers, query, variables)
  return keep(query, variables, anyAnswer.parse(await response.json()))
}

function keep<Kept>(query: string, variables: object | undefined, answer: Kept): Kept {
  last = [...last, { query, variables, answer }].slice(-KEPT)
  return answer
}
