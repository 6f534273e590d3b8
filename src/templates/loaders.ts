import type { ServiceContext } from '../domain/service-context.js'
import { byId } from '../graphql/loaders.js'
import { visible } from './access.js'

export class TemplateLoaders {
  readonly templates
  readonly outcomes

  constructor({ store, viewer }: ServiceContext) {
    this.templates = byId((ids) => store.assessmentTemplate.findMany({ where: { ...visible(viewer), id: { in: ids } } }))
    this.outcomes = byId((ids) => store.outcome.findMany({ where: { ...visible(viewer), id: { in: ids } } }))
  }
}
