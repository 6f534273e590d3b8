// How much code of src runs, as a count: it is the same on a slow machine and on a fast one.
import { Session } from 'node:inspector/promises'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'

const sources = fileURLToPath(new URL('../src/', import.meta.url))

/**
 * How often functions of src are called, and blocks in them are run, while `run` is at work. What the JavaScript engine does by itself, such as
 * to copy an array, is not counted.
 */
export async function callsDuring(run: () => Promise<void>): Promise<number> {
  const session = new Session()
  session.connect()
  // Optimized code does not count the calls that were inlined into it. What was optimized before is discarded as counting begins.
  setFlagsFromString('--no-opt')
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
    await run()
    const { result } = await session.post('Profiler.takePreciseCoverage')
    let calls = 0
    for (const { url, functions } of result) {
      const path = url.startsWith('file:') ? fileURLToPath(url) : url
      if (!path.startsWith(sources) || path.includes('/generated/')) continue
      for (const { ranges } of functions) for (const { count } of ranges) calls += count
    }
    return calls
  } finally {
    setFlagsFromString('--opt')
    session.disconnect()
  }
}
