import type { ExecutionResult } from 'graphql'

/** The key under which a result has its `data` as JSON. Plugins that copy a result copy it too, and JSON leaves it out. */
const DATA_TEXT = Symbol('data as JSON')

/** Notes the JSON of a result's `data`, so that it is not written again when the result is sent. */
export function withDataText(result: ExecutionResult, text: Buffer): ExecutionResult {
  return Object.assign(result, { [DATA_TEXT]: text })
}

/** A result as JSON. */
export function resultText(result: ExecutionResult): string | Buffer {
  const dataText: unknown = Reflect.get(result, DATA_TEXT)
  if (!(dataText instanceof Buffer)) return JSON.stringify(result)
  const { data: _, ...others } = result
  const end = JSON.stringify(others)
  return Buffer.concat([Buffer.from('{"data":'), dataText, Buffer.from(end === '{}' ? '}' : `,${end.slice(1)}`)])
}
