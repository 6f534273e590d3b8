import type { ServiceContext } from '../domain/service-context.js'
import { byId } from '../graphql/loaders.js'
import { visible } from './access.js'

export class ResultLoaders {
  readonly lineItems
  readonly scoreScales

  constructor({ store, viewer }: ServiceContext) {
    this.lineItems = byId((ids) => store.assessmentLineItem.findMany({ where: { ...visible(viewer), id: { in: ids } } }))
    this.scoreScales = byId((ids) => store.scoreScale.findMany({ where: { ...visible(viewer), id: { in: ids } } }))
  }
}
