import { runCommand } from './process/run-command.js'
import { start } from './server/start.js'
import { readSettings } from './settings.js'

await runCommand(() => start(readSettings(process.env)))
