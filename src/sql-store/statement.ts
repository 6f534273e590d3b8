import { Unsupported } from './conditions.js'
import type { SelectedRelation } from './tables.js'

/** A statement and its parameters. */
export interface Statement {
  text: string
  values: unknown[]
  /** The relations whose columns `nestRelations` has to move into nested objects. */
  related: SelectedRelation[]
}

/** Builds a statement with `write`, which appends its parameters to `values`. Null if `write` throws Unsupported. */
export function statement(write: (values: unknown[]) => Omit<Statement, 'values'>): Statement | null {
  const values: unknown[] = []
  try {
    return { ...write(values), values }
  } catch (error) {
    if (error instanceof Unsupported) return null
    throw error
  }
}
