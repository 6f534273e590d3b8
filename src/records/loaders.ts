import type { ServiceContext } from '../domain/service-context.js'
import { byId } from '../graphql/loaders.js'
import { visible } from './access.js'

export class RecordLoaders {
  readonly folders

  constructor({ store, viewer }: ServiceContext) {
    this.folders = byId((ids) => store.folder.findMany({ where: { ...visible(viewer), id: { in: ids } } }))
  }
}
