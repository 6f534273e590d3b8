import { z } from 'zod'
import type { Row } from './data.js'

/** How a server is asked: by the gateway's schema, by PostGraphile's, or without GraphQL. */
export type Dialect = 'raw' | 'gateway' | 'postgraphile'

/** A server under measurement. */
export interface Target {
  name: string
  dialect: Dialect
  url: URL
  pid: number
  headers: Record<string, string>
  /** The assessments of its database; writes keep their versions up to date. */
  rows: Row[]
  /** Whether it takes part in federation. */
  federated: boolean
}

/** One request, and what to do with its answer. */
export interface Exchange {
  body: string
  /** Throws when it is not the answer that the request must have. */
  received?(answer: Buffer): void
}

/** A workload on one target. */
export interface Load {
  /** The next request of a connection, which has one request under way at a time. */
  next(connection: number): Exchange
  /** Answers that must be the same from every server, in a form that does not depend on the server. */
  samples(): Promise<unknown[]>
}

export type Send = (body: string) => Promise<Buffer>

export interface Workload {
  name: string
  title: string
  /** Requests under way at the same time in the closed loop. */
  connections: number
  /** Whether this server has what the workload asks for. */
  has?(target: Target): boolean
  prepare(target: Target, send: Send): Promise<Load> | Load
}

/** An operation in each dialect. */
export interface Operation {
  /** What the raw server calls it; its answer is that of the gateway's document. */
  raw: string
  document: string
  postgraphile?: {
    document: string
    /** Its data in the shape of the gateway's. */
    answer(data: unknown): unknown
  }
}

export function bodyOf({ raw, document, postgraphile }: Operation, dialect: Dialect, variables: object): string {
  if (dialect === 'raw') return JSON.stringify({ operation: raw, variables })
  const query = dialect === 'gateway' ? document : postgraphile?.document
  return JSON.stringify({ query, variables })
}

/** The data of an answer in the shape of the gateway's. */
export function dataOf({ postgraphile }: Operation, dialect: Dialect, answer: Buffer): unknown {
  const { data } = envelope.parse(JSON.parse(answer.toString('utf8')))
  return dialect === 'postgraphile' && postgraphile ? postgraphile.answer(data) : data
}

/** More than a workload ever has connections. */
const MOST_CONNECTIONS = 64
const STRIDE = 4 * MOST_CONNECTIONS

/** An assessment that no other connection writes, so that no conflict comes by chance. */
export function ownRow(rows: Row[], connection: number): Row {
  const row = rows[Math.floor(Math.random() * Math.floor(rows.length / STRIDE)) * STRIDE + connection]
  if (!row || connection >= MOST_CONNECTIONS) throw new Error('There are more connections than rows to write.')
  return row
}

/** The assessments that are never written, which are the same on both databases at any time. */
export function unwritten(rows: Row[]): Row[] {
  return rows.filter((_, index) => index % STRIDE >= MOST_CONNECTIONS)
}

export function random<Item>(items: Item[]): Item {
  const item = items[Math.floor(Math.random() * items.length)]
  if (item === undefined) throw new Error('There is nothing to choose from.')
  return item
}

const envelope = z.strictObject({ data: z.unknown(), extensions: z.unknown().optional() })
