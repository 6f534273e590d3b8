// npm run migrate: applies the missing migrations to the database of DATABASE_URL, or to the embedded one.
import { runCommand } from '../process/run-command.js'
import { migrate } from '../database/migrations.js'
import { requireMigrated, withDatabase } from '../database/with-database.js'
import { readSettings } from '../settings.js'

await runCommand(() =>
  withDatabase(readSettings(process.env), async (database) => {
    const applied = await migrate(database.adapter)
    await requireMigrated(database)
    const lines = applied.length > 0 ? applied.map((name) => `applied  ${name}`) : ['Nothing to apply: the database is up to date.']
    process.stdout.write(`${lines.join('\n')}\n`)
  }),
)
