// The commands of `npm run admin`, which manage organisations, their credentials and their data.
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import type { PrismaClient } from '../generated/prisma/client.js'
import { importInto } from '../import/import-file.js'
import { createKey, createOrganisation, createSession, revokeKey } from '../organisations/service.js'
import { NotFoundError, ValidationError } from '../domain/failures.js'
import { scopes } from '../domain/scopes.js'
import { decodeUtf8 } from '../domain/utf8.js'
import { StartError } from '../process/start-error.js'

/** Runs a command whose arguments have been checked. The result is printed as JSON. */
type Run = (db: PrismaClient) => Promise<object | NotFoundError | ValidationError>

interface CommandHead {
  name: string
  /** The arguments, as the message on wrong usage shows them. */
  usage: string
}

interface Command extends CommandHead {
  /** Checks the arguments. @throws StartError when they are wrong. */
  read(args: string[]): Run
}

function command<Positionals extends z.ZodType, Options extends z.ZodObject>(
  head: CommandHead,
  schema: { positionals: Positionals; options: Options },
  run: (db: PrismaClient, positionals: z.output<Positionals>, options: z.output<Options>) => ReturnType<Run>,
): Command {
  return {
    ...head,
    read(args) {
      const given = argumentsOf(head, args, Object.keys(schema.options.shape))
      const positionals = schema.positionals.safeParse(given.positionals)
      const options = schema.options.safeParse(given.values)
      if (positionals.success && options.success) return (db) => run(db, positionals.data, options.data)
      const issues = [
        ...(positionals.error?.issues ?? []).map(({ message }) => message),
        ...(options.error?.issues ?? []).map(({ path, message }) => `--${path.join()}: ${message}`),
      ]
      throw usageError(head, issues.join(' '))
    },
  }
}

function argumentsOf(head: CommandHead, args: string[], names: string[]) {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]))
  try {
    return parseArgs({ args, options, allowPositionals: true })
  } catch (error) {
    throw usageError(head, error instanceof Error ? error.message : String(error))
  }
}

function usageError({ name, usage }: CommandHead, why: string): StartError {
  return new StartError(`${name}: ${why.replaceAll('\n', ' ')}\nUsage: npm run admin -- ${name} ${usage}`)
}

function positionals<Count extends [z.ZodString, ...z.ZodString[]]>(...items: Count) {
  const needed = items.length === 1 ? '1 argument is needed' : `${items.length} arguments are needed`
  return z.tuple(items, { error: ({ input }) => `${needed}, not ${Array.isArray(input) ? input.length : 0}.` })
}

const required = { error: ({ input }: { input?: unknown }) => (input === undefined ? 'It is needed.' : undefined) }

const scopeList = z.string(required).transform((value, context) => {
  const names = value.split(',').map((name) => name.trim())
  const unknown = names.filter((name) => !scopes.some((scope) => scope === name))
  if (unknown.length === 0) return scopes.filter((scope) => names.includes(scope))
  context.addIssue({ code: 'custom', message: `There is no scope "${unknown.join('", "')}"; there are ${scopes.join(', ')}.` })
  return z.NEVER
})

const MINUTES_OF_A_YEAR = 525_600
const minutes = z
  .string(required)
  .refine((value) => /^[1-9]\d*$/.test(value) && Number(value) <= MINUTES_OF_A_YEAR, `A whole number from 1 to ${MINUTES_OF_A_YEAR} is needed.`)
  .transform(Number)

const commands: Command[] = [
  command(
    { name: 'create-organisation', usage: 'NAME' },
    { positionals: positionals(z.string()), options: z.object({}) },
    (db, [name]) => createOrganisation(db, name),
  ),
  command(
    { name: 'create-key', usage: 'ORGANISATION_ID --scopes A,B [--user SUBJECT]' },
    { positionals: positionals(z.string()), options: z.object({ scopes: scopeList, user: z.string().optional() }) },
    (db, [organisationId], options) => createKey(db, { organisationId, scopes: options.scopes, subject: options.user }),
  ),
  command(
    { name: 'revoke-key', usage: 'KEY_ID' },
    { positionals: positionals(z.string()), options: z.object({}) },
    (db, [id]) => revokeKey(db, id),
  ),
  command(
    { name: 'create-session', usage: 'ORGANISATION_ID --user SUBJECT --scopes A,B --minutes N' },
    { positionals: positionals(z.string()), options: z.object({ user: z.string(required), scopes: scopeList, minutes }) },
    (db, [organisationId], { user, ...options }) => createSession(db, { organisationId, subject: user, ...options }),
  ),
  command(
    { name: 'import', usage: 'ORGANISATION_ID FILE.json' },
    { positionals: positionals(z.string(), z.string()), options: z.object({}) },
    async (db, [organisationId, file]) =>
      importInto(db, organisationId, await readJson(file), (line) => void process.stderr.write(`${line}\n`)),
  ),
]

async function readJson(file: string): Promise<unknown> {
  const content = await readFile(file).catch((cause: unknown) => {
    throw new StartError(`The file ${file} cannot be read.`, { cause })
  })
  try {
    return JSON.parse(decodeUtf8(content))
  } catch (cause) {
    throw new StartError(`The file ${file} is not JSON in UTF-8: ${cause instanceof Error ? cause.message : 'unknown'}.`, { cause })
  }
}

/**
 * Parses a command line, without the need for a database.
 *
 * @returns a function that runs the command, and resolves to what is printed as JSON. It rejects with a StartError when the command fails.
 * @throws StartError when the arguments are wrong.
 */
export function readCommand([name, ...args]: string[]): (db: PrismaClient) => Promise<object> {
  const found = commands.find((it) => it.name === name)
  if (!found) {
    const usage = commands.map((it) => `  npm run admin -- ${it.name} ${it.usage}`).join('\n')
    throw new StartError(`${name === undefined ? 'A command is needed.' : `There is no command "${name}".`}\nUsage:\n${usage}`)
  }
  const run = found.read(args)
  return async (db) => {
    const answer = await run(db)
    if (answer instanceof ValidationError) {
      const lines = answer.issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
      throw new StartError(lines.join('\n'))
    }
    if (answer instanceof NotFoundError) throw new StartError(`There is no such organisation, user or key: ${answer.ids.join(', ')}.`)
    return answer
  }
}
