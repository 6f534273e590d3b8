import DataLoader from 'dataloader'
import type { ServiceContext } from '../domain/service-context.js'
import { afterTurns } from '../request-scope/turns.js'

/** A class with the loaders of one module, e.g. OrganisationLoaders. */
type LoaderClass<Loader> = new (services: ServiceContext) => Loader

/**
 * The loaders of one request. Those of a module are made when they are first used. A loaded row is cached, so that a request always sees
 * the same state of it. Each event of a subscription gets new loaders.
 */
export class Loaders {
  readonly #instances = new Map<LoaderClass<object>, object>()

  constructor(readonly services: ServiceContext) {}

  of<Loader extends object>(loader: LoaderClass<Loader>): Loader {
    const known = this.#instances.get(loader)
    if (known instanceof loader) return known
    const made = new loader(this.services)
    this.#instances.set(loader, made)
    return made
  }
}

/** Makes a loader of rows by id, with one statement for all ids that are loaded at the same time. `load` rejects if there is no such row. */
export function byId<Row extends { id: string }>(find: (ids: string[]) => PromiseLike<Row[]>): DataLoader<string, Row> {
  return new DataLoader<string, Row>(
    async (ids) => {
      const rows = new Map((await find([...ids])).map((row) => [row.id, row]))
      return ids.map((id) => rows.get(id) ?? new Error(`No row ${id}.`))
    },
    { batchScheduleFn: afterTurns },
  )
}
