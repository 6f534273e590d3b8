import { start } from './start.js'
import { StartError } from './start-error.js'

try {
  await start(process.env)
} catch (error) {
  process.stderr.write(error instanceof StartError ? `${error.message}\n` : `${String(error)}\n`)
  process.exit(1)
}
