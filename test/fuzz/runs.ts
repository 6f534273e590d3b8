// How many runs, and which: FUZZ_RUNS and FUZZ_SEED.
import fc from 'fast-check'
import { z } from 'zod'

const { FUZZ_RUNS, FUZZ_SEED } = z
  .object({ FUZZ_RUNS: z.coerce.number().int().positive().optional(), FUZZ_SEED: z.coerce.number().int().optional() })
  .parse(process.env)

/** Long enough for any number of runs; the suite's own default is for tests of a single thing. */
export const FUZZ_TIMEOUT_MS = 24 * 60 * 60_000

/**
 * Checks a property with as many runs as are wished, else with `usual`. What fails is told with its
 * seed, which `FUZZ_SEED=... npm run fuzz` starts from again.
 */
export async function holds<Input>(usual: number, property: fc.IAsyncProperty<Input>): Promise<void> {
  const { failed, counterexample, seed, numRuns, errorInstance, counterexamplePath } = await fc.check(property, {
    numRuns: FUZZ_RUNS ?? usual,
    ...(FUZZ_SEED !== undefined && { seed: FUZZ_SEED }),
  })
  if (!failed) return
  const reason = errorInstance instanceof Error ? errorInstance.message : String(errorInstance)
  throw new Error(`FUZZ_SEED=${seed} failed at run ${numRuns} (path ${counterexamplePath ?? ''})\n${reason}\nwith ${fc.stringify(counterexample).slice(0, 5_000)}`)
}
