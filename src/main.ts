import { runCommand } from './command.js'
import { start } from './start.js'

await runCommand(() => start(process.env))
