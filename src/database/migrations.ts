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
import { StartError } from '../process/start-error.js'

/** The folder prisma/, which is at another relative path when this file runs from dist/. */
export const prismaDirectory = [new URL('../../prisma/', import.meta.url), new URL('../../../prisma/', import.meta.url)].find(
  (url) => existsSync(new URL('schema.prisma', url)),
)

/** For the schema engine: all tables and enums of the database are managed by our migrations. */
export const schemaFilter = { externalTables: [], externalEnums: [] }

/** The WebAssembly module is instantiated only once: its JavaScript keeps references into the memory of the first instance. */
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
 * Opens Prisma's schema engine, which `prisma migrate` runs too. As WebAssembly it needs no binary to be downloaded, and can reach the
 * embedded database. The caller has to `free()` it.
 */
export async function openSchemaEngine(
  adapter: SqlMigrationAwareDriverAdapterFactory,
  datamodels?: [path: string, content: string][],
): Promise<engineModule.SchemaEngine> {
  await (loading ??= loadEngine())
  return engineModule.SchemaEngine.new({ datamodels }, () => {}, bindMigrationAwareSqlAdapterFactory(adapter))
}

/** The migrations of prisma/migrations, in the order of their names and in the form that the schema engine takes. */
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

/**
 * Deletes the record of a migration that was started but not finished, which has changed nothing. 72707369 is the advisory lock of Prisma's
 * schema engine: it makes this wait for another process that is migrating.
 */
const FORGET_UNFINISHED = `DO $$ BEGIN
  PERFORM pg_advisory_xact_lock(72707369);
  IF EXISTS (SELECT FROM pg_tables WHERE schemaname = current_schema() AND tablename = '_prisma_migrations') THEN
    DELETE FROM "_prisma_migrations" WHERE "finished_at" IS NULL AND "rolled_back_at" IS NULL;
  END IF;
END $$`
/** Marks the migration that is being applied as finished, in the same transaction. */
const FINISH = 'UPDATE "_prisma_migrations" SET "finished_at" = now() WHERE "finished_at" IS NULL AND "rolled_back_at" IS NULL;'

/**
 * Applies the migrations that the database lacks. Returns their names. Each is applied whole or not at all.
 *
 * @throws StartError when the database refuses one, e.g. because the role may not make tables.
 */
export async function migrate(adapter: PrismaPg): Promise<string[]> {
  /** Why the database has refused something, in its words; the engine tells it in many more. */
  let refusal: unknown
  const engine = await openSchemaEngine({
    provider: adapter.provider,
    adapterName: adapter.adapterName,
    connectToShadowDb: () => adapter.connectToShadowDb(),
    async connect() {
      const connection = await adapter.connect()
      await connection.underlyingDriver().query(FORGET_UNFINISHED)
      // The adapter splits a script at each semicolon, even inside of a function's body. Sent whole, PostgreSQL runs it as
      // one transaction, together with the statement that marks the migration as finished.
      connection.executeScript = async (script) => {
        await connection.underlyingDriver().query(`${script}\n;${FINISH}`).catch((error: unknown) => {
          refusal = error
          throw error
        })
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
  } catch (cause) {
    const reason = refusal ?? cause
    // Where the engine tells it, a trace follows in further lines.
    const [message = ''] = (reason instanceof Error ? reason.message : String(reason)).trim().split('\n')
    throw new StartError(`The database cannot be migrated: ${message.replace('ERROR: ', '')}.`, { cause })
  } finally {
    engine.free()
  }
}

/**
 * Compares the database with the committed migrations. `missing` are not applied yet; `ahead` were applied by a newer version of the
 * gateway.
 */
export async function migrationDifference(client: PrismaClient): Promise<{ missing: string[]; ahead: string[] }> {
  const committed = (await committedMigrations()).migrationDirectories.map(({ path }) => path)
  const [table] = await client.$queryRaw<[{ exists: boolean }]>`SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = current_schema() AND tablename = '_prisma_migrations') AS "exists"`
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
