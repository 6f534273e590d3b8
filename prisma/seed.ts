// npm run seed: fills an empty database with the demo data, and replaces the demo keys.
import { runCommand } from '../src/process/run-command.js'
import { seedWhenEmpty } from '../src/demo/data.js'
import { keepDemoKeys, renewDemoKeys, showDemoKeys } from '../src/demo/keys.js'
import { prepare, withDatabase } from '../src/database/with-database.js'
import { readSettings } from '../src/settings.js'
import { StartError } from '../src/process/start-error.js'

await runCommand(async () => {
  const settings = readSettings(process.env)
  if (settings.production) throw new StartError('Demo keys carry all scopes, so none are made in production. Unset NODE_ENV to seed this database.')
  await withDatabase(settings, async (database) => {
    await prepare(database)
    await seedWhenEmpty(database.client)
    const keys = await renewDemoKeys(database.client)
    if (keys.length === 0) throw new StartError('The database holds organisations, but not those of the demo data. Only an empty one is filled with it.')
    if (database.embedded) await keepDemoKeys(settings.dataDirectory, keys)
    showDemoKeys(keys)
  })
})
