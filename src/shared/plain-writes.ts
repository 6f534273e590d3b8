import { getDatamodel } from '../generated/pothos.js'
import * as Prisma from '../generated/prisma/client.js'
import type { PreparedStatements } from '../prepared-statements.js'
import type { Reads } from './plain-reads.js'
import { isQueryObject, NotPlain, parameter } from './plain-conditions.js'
import { plain, type Statement } from './plain-select.js'

/** What the gate asks of a model: columns to set in a row that has the version that was read or expected. */
interface Change {
  where: { id: string; organisationId: string; version: number }
  data: object
}

/** A Prisma model as far as the gate needs it, e.g. `db.assessment`. */
interface WriteModel<Row> {
  findFirst(query: object): PromiseLike<Row | null>
  updateManyAndReturn(change: Change): PromiseLike<Row[]>
}

/** A table with the types that its columns have in Prisma's schema. */
interface WrittenTable {
  name: string
  columns: { name: string; type: string }[]
}

const { models } = getDatamodel().datamodel

/** Lists have a type of their own here, which is never plain. */
function writtenTable(name: string): WrittenTable {
  const fields = models[name]?.fields.filter(({ kind }) => kind !== 'object') ?? []
  return {
    name,
    columns: fields.map((field) => ({ name: field.name, type: field.isList ? 'list' : field.kind === 'enum' ? 'enum' : field.type })),
  }
}

/** A model as the gate uses Prisma's own, plain changes without Prisma: a prepared statement, as with PlainReads. */
class PlainWrites<Row extends object> implements WriteModel<Row> {
  readonly #table: WrittenTable

  constructor(
    readonly statements: PreparedStatements,
    table: string,
    readonly reads: Pick<WriteModel<Row>, 'findFirst'>,
    readonly prisma: Pick<WriteModel<Row>, 'updateManyAndReturn'>,
  ) {
    this.#table = writtenTable(table)
  }

  findFirst(query: object): PromiseLike<Row | null> {
    return this.reads.findFirst(query)
  }

  updateManyAndReturn(change: Change): PromiseLike<Row[]> {
    const statement = updateRow(this.#table, change)
    return statement ? this.statements.rows<Row>(statement.text, statement.values) : this.prisma.updateManyAndReturn(change)
  }
}

/** The SQL of a change, which varies only with the columns that it sets; null when it sets one to anything that is not known here. */
function updateRow({ name: table, columns }: WrittenTable, { where, data }: Change): Statement | null {
  return plain((values) => {
    const set = new Map(Object.entries(data).filter(([, value]) => value !== undefined))
    const conditions = [`"id" = ${parameter(values, where.id)}`, `"organisationId" = ${parameter(values, where.organisationId)}`, `"version" = ${parameter(values, where.version)}`]
    const assignments = columns.filter(({ name }) => set.has(name)).map(({ name, type }) => assignment(name, type, set.get(name), values))
    if (assignments.length < set.size) throw new NotPlain()
    const returned = columns.map(({ name }) => `"${name}"`).join(', ')
    return { text: `UPDATE "${table}" SET ${assignments.join(', ')} WHERE ${conditions.join(' AND ')} RETURNING ${returned}`, relations: [] }
  })
}

function assignment(name: string, type: string, value: unknown, values: unknown[]): string {
  if (type === 'Int' && isQueryObject(value) && Object.keys(value).join() === 'increment') {
    return `"${name}" = "${name}" + ${parameter(values, stored(type, value['increment']))}`
  }
  return `"${name}" = ${parameter(values, stored(type, value))}`
}

/** What a value of a type is sent as; Prisma judges all that is not certain to be one. */
function stored(type: string, value: unknown): unknown {
  if (type === 'Json') return storedJson(value)
  if (value === null || isOfType[type]?.(value) === true) return value
  throw new NotPlain()
}

const isOfType: Record<string, ((value: unknown) => boolean) | undefined> = {
  String: (value) => typeof value === 'string',
  enum: (value) => typeof value === 'string',
  Int: Number.isInteger,
  Float: Number.isFinite,
  Boolean: (value) => typeof value === 'boolean',
  DateTime: (value) => value instanceof Date,
}

function storedJson(value: unknown): string | null {
  if (value === Prisma.Prisma.DbNull) return null
  if (Array.isArray(value) || (isQueryObject(value) && isPlainObject(value))) return JSON.stringify(value)
  throw new NotPlain()
}

/** Not of a class, such as Prisma's other nulls. */
function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** The models of the versioned rows. */
export function plainWrites(db: Prisma.PrismaClient, reads: Reads, statements: PreparedStatements) {
  return {
    assessment: new PlainWrites<Prisma.Assessment>(statements, 'Assessment', reads.assessment, db.assessment),
    assessmentRecord: new PlainWrites<Prisma.AssessmentRecord>(statements, 'AssessmentRecord', reads.assessmentRecord, db.assessmentRecord),
    assessmentResult: new PlainWrites<Prisma.AssessmentResult>(statements, 'AssessmentResult', reads.assessmentResult, db.assessmentResult),
  }
}
export type Writes = ReturnType<typeof plainWrites>
