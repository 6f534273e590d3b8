/** What was thrown, as an error. JavaScript can throw any value. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error('Something else than an error was thrown.', { cause: thrown })
}
