import { getDatamodel } from '../generated/pothos.js'
import type * as Prisma from '../generated/prisma/client.js'
import type { PreparedStatements } from '../prepared-statements.js'
import type { ColumnType } from './plain-conditions.js'
import { SharedReads } from './shared-reads.js'
import { COUNT_COLUMN, countRows, nestRelations, type PlainModel, selectRows, type Statement } from './plain-select.js'

/** A Prisma model as far as reads need it, e.g. `db.assessment`. */
export interface ReadModel<Row> {
  findMany(query: object): PromiseLike<Row[]>
  findFirst(query: object): PromiseLike<Row | null>
  count(query: { where: object }): Promise<number>
}

/** Some rows of a list, and how many the whole list has if that came with them. */
export interface CountedRows<Row> {
  rows: Row[]
  count: number | undefined
}

const { models } = getDatamodel().datamodel

function columnsOf(table: string): string[] {
  return models[table]?.fields.filter(({ kind }) => kind !== 'object').map(({ name }) => name) ?? []
}

const columnTypes: Record<string, ColumnType | undefined> = { String: 'text', DateTime: 'timestamptz', Int: 'integer', Float: 'double precision' }

/** The datamodel does not tell UUIDs from texts. In this schema keys are UUIDs; other texts by which rows are ordered are none. */
function columnType(table: string, column: string): ColumnType | undefined {
  const fields = models[table]?.fields ?? []
  const field = fields.find(({ name }) => name === column)
  if (!field || field.isList) return undefined
  const isKey = column.endsWith('Id') && fields.some(({ relationFromFields = [] }) => relationFromFields.includes(column))
  return field.isId || isKey ? 'uuid' : columnTypes[field.type]
}

/** In this schema the key of a relation is named for it; a relation without one is left to Prisma. */
function plainModel(table: string): PlainModel {
  const relations = (models[table]?.fields ?? []).flatMap(({ name, type, relationFromFields = [] }) => {
    const key = `${name}Id`
    const columns = columnsOf(type)
    return relationFromFields.includes(key) ? [{ name, table: type, key, hasTenant: columns.includes('organisationId'), columns }] : []
  })
  return { table, columns: new Map(columnsOf(table).map((name) => [name, columnType(table, name)])), relations: new Map(relations.map((it) => [it.name, it])) }
}

/**
 * Reads of a model as Prisma's own, those of columns without Prisma: what most requests ask
 * for costs a prepared statement then, a quarter of the processor time.
 */
class PlainReads<Row extends { id: string }> implements ReadModel<Row> {
  readonly #model: PlainModel
  readonly #shared = new SharedReads<Row>()

  constructor(
    readonly statements: PreparedStatements,
    table: string,
    readonly prisma: ReadModel<Row>,
  ) {
    this.#model = plainModel(table)
  }

  findMany(query: object): PromiseLike<Row[]> {
    const statement = selectRows(this.#model, query)
    return statement ? this.#rows<Row>(statement) : this.prisma.findMany(query)
  }

  /** A `findMany` that counts the rows of `where` by the same statement, if one can do both and finds a row to tell it. */
  async findManyCounted(query: object, where: object): Promise<CountedRows<Row>> {
    const statement = selectRows(this.#model, query, where)
    if (!statement) return { rows: await this.prisma.findMany(query), count: undefined }
    const rows = await this.#rows<Row & { [COUNT_COLUMN]: number }>(statement)
    return { rows, count: rows[0]?.[COUNT_COLUMN] }
  }

  async findFirst(query: object): Promise<Row | null> {
    const statement = selectRows(this.#model, { ...query, take: 1 })
    return statement ? ((await this.#rows<Row>(statement))[0] ?? null) : this.prisma.findFirst(query)
  }

  /** The row with this id, a UUID in lower case, that meets `where`; one statement for all requests that ask for one at the same time. */
  findById(query: { select?: object }, where: object, id: string): Promise<Row | null> {
    const known = query.select ? { ...query, select: { ...query.select, id: true } } : query
    const statement = selectRows(this.#model, { ...known, where })
    if (!statement) return this.findFirst({ ...query, where: { ...where, id } })
    const same = `${statement.text} ${JSON.stringify(statement.values)}`
    return this.#shared.load({ id, same, read: (ids) => this.findMany({ ...known, where: { ...where, id: { in: ids } } }) })
  }

  async count(query: { where: object }): Promise<number> {
    const statement = countRows(this.#model, query.where)
    return statement ? ((await this.#rows<{ count: number }>(statement))[0]?.count ?? 0) : this.prisma.count(query)
  }

  async #rows<Result extends object>({ text, values, relations }: Statement): Promise<Result[]> {
    return nestRelations(await this.statements.rows<Result>(text, values), relations)
  }
}

/** The reads of the models that lists and look-ups go through. */
export function plainReads(db: Prisma.PrismaClient, statements: PreparedStatements) {
  return {
    organisation: new PlainReads<Prisma.Organisation>(statements, 'Organisation', db.organisation),
    user: new PlainReads<Prisma.User>(statements, 'User', db.user),
    entity: new PlainReads<Prisma.Entity>(statements, 'Entity', db.entity),
    assessmentTemplate: new PlainReads<Prisma.AssessmentTemplate>(statements, 'AssessmentTemplate', db.assessmentTemplate),
    outcome: new PlainReads<Prisma.Outcome>(statements, 'Outcome', db.outcome),
    assessment: new PlainReads<Prisma.Assessment>(statements, 'Assessment', db.assessment),
    folder: new PlainReads<Prisma.Folder>(statements, 'Folder', db.folder),
    assessmentRecord: new PlainReads<Prisma.AssessmentRecord>(statements, 'AssessmentRecord', db.assessmentRecord),
    scoreScale: new PlainReads<Prisma.ScoreScale>(statements, 'ScoreScale', db.scoreScale),
    assessmentLineItem: new PlainReads<Prisma.AssessmentLineItem>(statements, 'AssessmentLineItem', db.assessmentLineItem),
    assessmentResult: new PlainReads<Prisma.AssessmentResult>(statements, 'AssessmentResult', db.assessmentResult),
  }
}
export type Reads = ReturnType<typeof plainReads>

type WithoutClass<Models> = { [Name in keyof Models]: Models[Name] extends ReadModel<infer Row> ? ReadModel<Row> : never }
/** `Reads`, or a client or transaction of Prisma in their place. */
export type ReadModels = WithoutClass<Reads>
