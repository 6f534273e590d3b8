import { bodyOf, dataOf, type Operation, random, unwritten, type Workload } from '../workload.js'

const entities: Operation = {
  raw: 'W5',
  document: `query ($representations: [_Any!]!) {
    _entities(representations: $representations) { ... on Assessment { id version name status progress } }
  }`,
}

/** What a federated gateway asks a subgraph: rows by references. */
function references(count: number): Workload {
  const variables = (ids: string[]) => ({ representations: ids.map((id) => ({ __typename: 'Assessment', id })) })
  return {
    name: `W5-${count}`,
    title: `_entities with ${count} ${count === 1 ? 'reference' : 'references'}`,
    connections: 32,
    has: ({ federated }) => federated,
    prepare({ dialect, rows }, send) {
      return {
        next: () => ({ body: bodyOf(entities, dialect, variables(Array.from({ length: count }, () => random(rows).id))) }),
        async samples() {
          // Neither in the order of the database nor each id only once.
          const ids = unwritten(rows).slice(500, 500 + count).map(({ id }) => id).reverse()
          const some = [...ids.slice(1), ...ids.slice(-1)]
          return [dataOf(entities, dialect, await send(bodyOf(entities, dialect, variables(some))))]
        },
      }
    },
  }
}

export const w5 = [1, 10, 100].map(references)
