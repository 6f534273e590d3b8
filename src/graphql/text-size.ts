import { isRecord } from '../domain/is-record.js'

const MAXIMUM_CHARACTERS = 'maximumCharacters'

/** How many characters a value may hold for each 1 that it costs. */
export const CHARACTERS_PER_COST = 4_096

/** The extensions of a field whose text may be longer than `CHARACTERS_PER_COST`. The cost of an operation counts the field by them. */
export function upToCharacters(maximum: number): Record<string, unknown> {
  return { [MAXIMUM_CHARACTERS]: maximum }
}

/** How many characters a field may hold; 0 for a field without a declared maximum, which is short. */
export function maximumCharacters({ extensions }: { extensions: unknown }): number {
  const maximum = isRecord(extensions) ? extensions[MAXIMUM_CHARACTERS] : undefined
  return typeof maximum === 'number' ? maximum : 0
}
