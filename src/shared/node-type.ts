import { builder } from '../builder.js'

/** Relay's interface; which types implement it says each room, and how one is found says nodes.ts. */
export const Node = builder.interfaceRef<{ id: string }>('Node').implement({
  description: 'Anything that `node` can find again by its id.',
  fields: (t) => ({ id: t.exposeID('id', { description: 'UUID, the same everywhere.' }) }),
})
