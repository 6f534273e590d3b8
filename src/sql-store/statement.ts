import { Unsupported } from './conditions.js'
import type { Relation } from './tables.js'

/** A statement and its parameters. */
export interface Statement {
  text: string
  values: unknown[]
  /** What of its rows `nestRelations` has to put in place. */
  relations: Relation[]
}

/** The statement that `write` makes; null when it met something that is not known here. */
export function statement(write: (values: unknown[]) => Omit<Statement, 'values'>): Statement | null {
  const values: unknown[] = []
  try {
    return { ...write(values), values }
  } catch (error) {
    if (error instanceof Unsupported) return null
    throw error
  }
}
