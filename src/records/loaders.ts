import type { Services } from '../domain/services.js'
import { byId } from '../graphql/loaders.js'
import { visible } from './access.js'

export class RecordLoaders {
  readonly folders

  constructor({ store, viewer }: Services) {
    this.folders = byId((ids) => store.folder.findMany({ where: { ...visible(viewer), id: { in: ids } } }))
  }
}
