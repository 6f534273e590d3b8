import { builder } from '../graphql/builder.js'
import type { Entity as EntityRow, Organisation as OrganisationRow, User as UserRow } from '../generated/prisma/client.js'
import { registerNodeType } from '../graphql/nodes.js'
import { byEitherKey, referencesById, referencesBySourcedId } from '../graphql/references.js'
import { visible } from './access.js'
import { Entity, Organisation, User } from './schema.js'

const organisationById = referencesById<OrganisationRow>('Organisation', ({ store, viewer }, ids, query) =>
  store.organisation.findMany({ ...query, where: { AND: [{ id: viewer.organisation.id }, { id: { in: ids } }] } }),
)
const userById = referencesById<UserRow>('User', ({ store, viewer }, ids, query) =>
  store.user.findMany({ ...query, where: { ...visible(viewer), id: { in: ids } } }),
)
const userBySourcedId = referencesBySourcedId<UserRow>('User', ({ store, viewer }, sourcedIds, query) =>
  store.user.findMany({ ...query, where: { ...visible(viewer), sourcedId: { in: sourcedIds } } }),
)
const entityById = referencesById<EntityRow>('Entity', ({ store, viewer }, ids, query) =>
  store.entity.findMany({ ...query, where: { ...visible(viewer), id: { in: ids } } }),
)

builder.asEntity(Organisation, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, context, info) => organisationById(context, info, id),
})
builder.asEntity(User, {
  key: [builder.selection<{ id: string }>('id'), builder.selection<{ sourcedId: string }>('sourcedId')],
  resolveReference: byEitherKey(userById, userBySourcedId),
})
builder.asEntity(Entity, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, context, info) => entityById(context, info, id),
})

registerNodeType(Organisation, organisationById, 'id')
registerNodeType(User, userById)
registerNodeType(Entity, entityById)
