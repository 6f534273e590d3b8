import type { FieldNode } from 'graphql'
import type { ExceededLimit } from '../request-scope/request-scope.js'
import { CHARACTERS_PER_COST } from './text-size.js'

/** Operations with more values than this take turns of the event loop. It corresponds to a few milliseconds of work. */
const LONG = 1_000

/** What an operation costs before it is executed. */
export interface BudgetSettings {
  /** What it may cost in all. */
  maximum: number
  /** The values that its answer can have, the longer ones counted several times. */
  values: number
  /** What it costs besides, for work that makes no values. */
  extra: number
  /** How many fields it has at its root. */
  rootFields: number
  /** The values in one item of a list whose length is known only when it is read. */
  valuesPerItem(list: FieldNode): number
}

/** What one operation may still cost while it is executed: the lists whose length nobody knows before are paid from it. */
export class Budget {
  #settings: BudgetSettings = { maximum: Infinity, values: 0, extra: 0, rootFields: 1, valuesPerItem: () => 0 }
  #values = 0

  /** To be called before the operation is executed. */
  open(settings: BudgetSettings): void {
    this.#settings = settings
    this.#values = settings.values
  }

  /** A budget as this one was when it was opened, for another execution of the same operation. */
  renewed(): Budget {
    const other = new Budget()
    other.open(this.#settings)
    return other
  }

  get cost(): number {
    return this.#values + this.#settings.extra
  }

  get rootFields(): number {
    return this.#settings.rootFields
  }

  /** The most characters that the values can have. */
  get characters(): number {
    return this.#values * CHARACTERS_PER_COST
  }

  /** Whether the answer is so long that the operation has to take turns of the event loop. */
  get isLong(): boolean {
    return this.#values > LONG
  }

  /**
   * Pays for the items of a list.
   *
   * @param nodes the fields of the document that select the list
   * @returns what the operation exceeds if it has no budget for them, and for lists from then on
   */
  spend(nodes: readonly FieldNode[], items: number): ExceededLimit | undefined {
    const { valuesPerItem } = this.#settings
    // One item has been paid for beforehand.
    for (const node of nodes) this.#values += Math.max(0, items - 1) * valuesPerItem(node)
    return this.exceeded
  }

  get exceeded(): ExceededLimit | undefined {
    const { maximum } = this.#settings
    return this.cost > maximum ? { limit: 'cost', maximum } : undefined
  }
}
