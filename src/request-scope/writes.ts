/** A row that was written, and the version that this gave it. */
export interface Written {
  id: string
  version: number
}

/** How many of the rows that a request has written its client is told by name. */
const MAX_NAMED = 100

/** What one request has written. Whatever fails after that, its client must not be invited to write the same again. */
export class Writes {
  /** How many rows it has written. */
  count = 0
  /** The first of these rows, at most `MAX_NAMED`. */
  readonly named: Written[] = []
  #open = 0

  /** Whether something was sent that may be written by now, or may never be. */
  get areUncertain(): boolean {
    return this.#open > 0
  }

  /** Whether nothing has been written, and nothing was sent that may be. */
  get areNone(): boolean {
    return this.count === 0 && this.#open === 0
  }

  /**
   * To be called before something is sent that writes. Returns a function to be called once it is known which rows that has written. If
   * nobody will ever know, because the connection broke before the answer came, it is not called.
   */
  begin(): (written: Written[]) => void {
    this.#open += 1
    return (written) => {
      this.#open -= 1
      this.count += written.length
      for (const { id, version } of written.slice(0, MAX_NAMED - this.named.length)) this.named.push({ id, version })
    }
  }
}
