// Writes schema.graphql from the code; with --check it only tells, by its exit code, whether it is stale.
import { readFile, writeFile } from 'node:fs/promises'
import { lexicographicSortSchema, printSchema } from 'graphql'
import { schema } from '../src/schema.js'

const file = new URL('../schema.graphql', import.meta.url)
const printed = `${printSchema(lexicographicSortSchema(schema))}\n`
if (!process.argv.includes('--check')) await writeFile(file, printed)
else if (printed !== (await readFile(file, 'utf8'))) {
  process.stderr.write('schema.graphql is stale: run `npm run schema`.\n')
  process.exitCode = 1
}
