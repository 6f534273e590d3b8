// Writes Prisma's schema for the Apollo peer: the product's models, with a generator as Prisma's
// documentation shows it instead of the product's.
import { mkdir, readFile, writeFile } from 'node:fs/promises'

const product = await readFile(new URL('../prisma/schema.prisma', import.meta.url), 'utf8')
const models = product.replaceAll(/^generator \w+ \{\n[^}]*\}\n/gm, '')
// The models name partial indexes, which Prisma still calls a preview.
const generator = `generator client {
  provider        = "prisma-client"
  output          = "./prisma"
  previewFeatures = ["partialIndexes"]
}
`
await mkdir(new URL('generated/', import.meta.url), { recursive: true })
await writeFile(new URL('generated/schema.prisma', import.meta.url), `${generator}\n${models}`)
