import { readdir, readFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import {
  bindMigrationAwareSqlAdapterFactory,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils'
import type { PrismaPg } from '@prisma/adapter-pg'
import * as engineModule from '@prisma/schema-engine-wasm/schema_engine_bg'
import type { MigrationList } from '@prisma/schema-engine-wasm'
import type { PrismaClient } from '../generated/prisma/client.js'

/** prisma/ of the source tree, seen from src/ and from dist/src/ alike. */
export const prismaDirectory = [new URL('../../prisma/', import.meta.url), new URL('../../../prisma/', import.meta.url)].find(
  (url) => existsSync(new URL('schema.prisma', url)),
)

/** Nothing in the database is managed by anybody but our migrations. */
export const schemaFilter = { externalTables: [], externalEnums: [] }

/** The module keeps what it knows of its first instance, so that a second one in the process would read the wrong memory. */
let loading: Promise<void> | undefined

async function loadEngine(): Promise<void> {
  const entry = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm')
  const wasm = await readFile(join(dirname(entry), 'schema_engine_bg.wasm'))
  const { instance } = await WebAssembly.instantiate(wasm, { './schema_engine_bg.js': { ...engineModule } })
  engineModule.__wbg_set_wasm(instance.exports)
  const start = instance.exports['__wbindgen_start']
  if (typeof start === 'function') Reflect.apply(start, undefined, [])
}

/**
 * Prisma's schema engine as WebAssembly: what `prisma migrate` runs, but with no binary to
 * download and able to reach the embedded database.
 */
export async function openSchemaEngine(
  adapter: SqlMigrationAwareDriverAdapterFactory,
  datamodels?: [path: string, content: string][],
): Promise<engineModule.SchemaEngine> {
  await (loading ??= loadEngine())
  return engineModule.SchemaEngine.new({ datamodels }, () => {}, bindMigrationAwareSqlAdapterFactory(adapter))
}

/** The committed migrations in the order of their names, as the schema engine takes them. */
export async function committedMigrations(): Promise<MigrationList> {
  if (!prismaDirectory) throw new Error('The folder prisma/ with the migrations is missing.')
  const baseDirectory = new URL('migrations/', prismaDirectory)
  const entries = await readdir(baseDirectory, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  return {
    baseDir: baseDirectory.pathname,
    shadowDbInitScript: '',
    lockfile: {
      path: 'migration_lock.toml',
      content: await readFile(new URL('migration_lock.toml', baseDirectory), 'utf8'),
    },
    migrationDirectories: await Promise.all(
      names.sort().map(async (name) => ({
        path: name,
        migrationFile: {
          path: 'migration.sql',
          content: {
            tag: 'ok' as const,
            value: await readFile(new URL(`${name}/migration.sql`, baseDirectory), 'utf8'),
          },
        },
      })),
    ),
  }
}

/** What was begun but not finished has changed nothing. The lock is Prisma's own: whoever migrates right now is waited for. */
const FORGET_UNFINISHED = `DO $$ BEGIN
  PERFORM pg_advisory_xact_lock(72707369);
  IF to_regclass('_prisma_migrations') IS NOT NULL THEN
    DELETE FROM "_prisma_migrations" WHERE "finished_at" IS NULL AND "rolled_back_at" IS NULL;
  END IF;
END $$`
const FINISH = 'UPDATE "_prisma_migrations" SET "finished_at" = now() WHERE "finished_at" IS NULL AND "rolled_back_at" IS NULL;'

/** Brings the database to the committed schema; the names of the migrations that it applied. */
export async function migrate(adapter: PrismaPg): Promise<string[]> {
  const engine = await openSchemaEngine({
    provider: adapter.provider,
    adapterName: adapter.adapterName,
    connectToShadowDb: () => adapter.connectToShadowDb(),
    async connect() {
      const connection = await adapter.connect()
      await connection.underlyingDriver().query(FORGET_UNFINISHED)
      // The adapter cuts a script at each semicolon, also inside a function's body; sent whole,
      // PostgreSQL itself reads it, and runs it all or not at all. That it is finished is written
      // with it, so that an unfinished migration is one that has changed nothing.
      connection.executeScript = async (script) => {
        await connection.underlyingDriver().query(`${script}\n;${FINISH}`)
      }
      return connection
    },
  })
  try {
    const { appliedMigrationNames } = await engine.applyMigrations({
      migrationsList: await committedMigrations(),
      filters: schemaFilter,
    })
    return appliedMigrationNames
  } finally {
    engine.free()
  }
}

/**
 * How the database differs from the committed migrations: names that are missing there, and names
 * that only the database knows (it was migrated by a newer gateway).
 */
export async function migrationDifference(client: PrismaClient): Promise<{ missing: string[]; ahead: string[] }> {
  const committed = (await committedMigrations()).migrationDirectories.map(({ path }) => path)
  const [table] = await client.$queryRaw<[{ exists: boolean }]>`SELECT to_regclass('_prisma_migrations') IS NOT NULL AS "exists"`
  const rows = table.exists
    ? await client.$queryRaw<{ name: string }[]>`
        SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL`
    : []
  const applied = new Set(rows.map(({ name }) => name))
  return {
    missing: committed.filter((name) => !applied.has(name)),
    ahead: [...applied].filter((name) => !committed.includes(name)),
  }
}
