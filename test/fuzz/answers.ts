// What an answer may be, whatever was asked: data, or errors that tell a client what it can do about them.
import { expect } from 'vitest'
import { z } from 'zod'
import { gateway, logged } from '../gateway.js'
import type { Story } from '../story.js'

/** The client's own mistakes, by their codes. */
const CLIENT_ERRORS = ['BAD_USER_INPUT', 'BAD_REQUEST', 'FORBIDDEN', 'GRAPHQL_PARSE_FAILED', 'GRAPHQL_VALIDATION_FAILED', 'LIMIT_EXCEEDED', 'PAYLOAD_TOO_LARGE']
/** Those that are about the whole request. */
const WHOLE_REQUEST = ['BAD_REQUEST', 'LIMIT_EXCEEDED', 'PAYLOAD_TOO_LARGE']

const place = z.object({ line: z.number(), column: z.number() })
const answer = z.strictObject({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z
    .array(
      z.strictObject({
        message: z.string().min(1),
        path: z.array(z.union([z.string(), z.number()])).optional(),
        locations: z.array(place).optional(),
        extensions: z.looseObject({ code: z.enum(CLIENT_ERRORS) }),
      }),
    )
    // GraphQL's own remark that there are too many to tell all has no place.
    .refine(
      (errors) => errors.some(({ path, locations, extensions: { code } }) => (path ?? locations) !== undefined || WHOLE_REQUEST.includes(code)),
      'Errors say where.',
    )
    .optional(),
  extensions: z.strictObject({ cost: z.object({ requested: z.number(), maximum: z.number() }) }).optional(),
})

/** Sends a body as it is: data and errors. Fails where an error is none that a client can act on, or is logged. */
export async function answerTo({ key }: Story, body: string): Promise<z.output<typeof answer>> {
  logged.length = 0
  const response = await gateway.fetch('http://gateway.test/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', apikey: key },
    body,
  })
  const text = await response.text()
  const parsed = answer.safeParse(JSON.parse(text))
  const unexpected = logged.filter((line) => z.object({ level: z.number() }).parse(JSON.parse(line)).level >= 40)
  if (!parsed.success || unexpected.length > 0) {
    throw new Error(`${body.slice(0, 3_000)}\nanswered ${response.status} ${text.slice(0, 2_000)}\nand logged ${unexpected.join('').slice(0, 3_000)}`)
  }
  expect(parsed.data.data != null || parsed.data.errors !== undefined, text).toBe(true)
  return parsed.data
}
