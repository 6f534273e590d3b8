import type { ServiceContext } from '../domain/service-context.js'
import { byId } from '../graphql/loaders.js'
import { visible } from './access.js'

export class OrganisationLoaders {
  readonly users
  readonly entities

  constructor({ store, viewer }: ServiceContext) {
    this.users = byId((ids) => store.user.findMany({ where: { ...visible(viewer), id: { in: ids } } }))
    this.entities = byId((ids) => store.entity.findMany({ where: { ...visible(viewer), id: { in: ids } } }))
  }
}
