// npm run admin: runs one command, and prints its result as JSON on standard output.
import { readCommand } from './admin-commands.js'
import { runCommand } from '../process/run-command.js'
import { prepare, withDatabase } from '../database/with-database.js'
import { readSettings } from '../settings.js'

await runCommand(async () => {
  // Before the database is opened, so that a wrong command line fails at once.
  const command = readCommand(process.argv.slice(2))
  const answer = await withDatabase(readSettings(process.env), async (database) => {
    await prepare(database)
    return command(database.client)
  })
  process.stdout.write(`${JSON.stringify(answer)}\n`)
})
