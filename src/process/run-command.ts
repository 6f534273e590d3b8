import { StartError } from './start-error.js'

/** Runs the main function of a process, then ends it: with code 0, or with code 1 and one sentence on standard error when it throws. */
export async function runCommand(run: () => Promise<void>): Promise<void> {
  try {
    await run()
    end(process.stdout, '', 0)
  } catch (error) {
    end(process.stderr, `${sentenceOf(error)}\n`, 1)
  }
}

/** Does not wait for the event loop to become empty: Prisma's schema engine leaves a timer that would keep the process for ten seconds. */
function end(stream: NodeJS.WriteStream, text: string, code: number): void {
  stream.write(text, () => process.exit(code))
}

function sentenceOf(error: unknown): string {
  if (error instanceof StartError) return error.message
  const message = error instanceof Error ? error.message : String(error)
  return `Unexpected error: ${message.replaceAll(/\s+/g, ' ').trim()}`
}
