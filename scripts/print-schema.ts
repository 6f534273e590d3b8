// Writes schema.graphql, the subgraph's SDL, from the code; with --check it only tells, by its exit
// code, whether the file is stale.
import { readFile, writeFile } from 'node:fs/promises'
import { graphqlSync } from 'graphql'
import { z } from 'zod'
import { schema } from '../src/server/schema.js'

const file = new URL('../schema.graphql', import.meta.url)
const { data } = graphqlSync({ schema, source: '{ _service { sdl } }' })
const printed = `${z.object({ _service: z.object({ sdl: z.string() }) }).parse(data)._service.sdl.trim()}\n`
if (!process.argv.includes('--check')) await writeFile(file, printed)
else if (printed !== (await readFile(file, 'utf8'))) {
  process.stderr.write('schema.graphql is stale: run `npm run schema`.\n')
  process.exitCode = 1
}
