// npm run admin: runs one command and answers JSON on standard output.
import { readCommand } from './admin-commands.js'
import { runCommand } from '../process/run-command.js'
import { prepare, withDatabase } from '../database/with-database.js'
import { readSettings } from '../settings.js'

await runCommand(async () => {
  // A wrong command line opens no database.
  const command = readCommand(process.argv.slice(2))
  const answer = await withDatabase(readSettings(process.env), async (database) => {
    await prepare(database)
    return command(database.client)
  })
  process.stdout.write(`${JSON.stringify(answer)}\n`)
})
