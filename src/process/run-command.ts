import { StartError } from './start-error.js'

/** Runs the entry of a process to its end; what it throws becomes a sentence on standard error. */
export async function runCommand(run: () => Promise<void>): Promise<void> {
  try {
    await run()
    end(process.stdout, '', 0)
  } catch (error) {
    end(process.stderr, `${sentenceOf(error)}\n`, 1)
  }
}

/** Ends the process by itself: Prisma's schema engine leaves a timer behind that would hold it up for ten seconds. */
function end(stream: NodeJS.WriteStream, text: string, code: number): void {
  stream.write(text, () => process.exit(code))
}

function sentenceOf(error: unknown): string {
  if (error instanceof StartError) return error.message
  const message = error instanceof Error ? error.message : String(error)
  return `Unexpected error: ${message.replaceAll(/\s+/g, ' ').trim()}`
}
