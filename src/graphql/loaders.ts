import DataLoader from 'dataloader'
import type { Services } from '../domain/services.js'

/** A room's loaders, made for one request and bound to its viewer. */
type LoaderClass<Loader> = new (services: Services) => Loader

/**
 * The loaders of one request, each room's made when the first of them is asked for. What one has loaded stays as it was, so that a
 * request sees one state of a row; an event of a subscription has loaders of its own.
 */
export class Loaders {
  readonly #instances = new Map<LoaderClass<object>, object>()

  constructor(readonly services: Services) {}

  of<Loader extends object>(loader: LoaderClass<Loader>): Loader {
    const known = this.#instances.get(loader)
    if (known instanceof loader) return known
    const made = new loader(this.services)
    this.#instances.set(loader, made)
    return made
  }
}

/** A loader of rows by id: one statement for all that a request asks for at the same time. */
export function byId<Row extends { id: string }>(find: (ids: string[]) => PromiseLike<Row[]>): DataLoader<string, Row> {
  return new DataLoader<string, Row>(async (ids) => {
    const rows = new Map((await find([...ids])).map((row) => [row.id, row]))
    return ids.map((id) => rows.get(id) ?? new Error(`No row ${id}.`))
  })
}
