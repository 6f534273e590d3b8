import { builder } from '../builder.js'
import type { Entity as EntityRow, Organisation as OrganisationRow, User as UserRow } from '../generated/prisma/client.js'
import { references, referencesById } from '../shared/references.js'
import { visible } from './access.js'
import { Entity, Organisation, User } from './schema.js'

export const organisationById = referencesById<OrganisationRow>('Organisation', ({ reads, viewer }, ids, query) =>
  reads.organisation.findMany({ ...query, where: { AND: [{ id: viewer.organisation.id }, { id: { in: ids } }] } }),
)
export const userById = referencesById<UserRow>('User', ({ reads, viewer }, ids, query) =>
  reads.user.findMany({ ...query, where: { ...visible(viewer), id: { in: ids } } }),
)
const userBySourcedId = references<UserRow>(
  'User',
  'sourcedId',
  ({ reads, viewer }, sourcedIds, query) => reads.user.findMany({ ...query, where: { ...visible(viewer), sourcedId: { in: sourcedIds } } }),
)
export const entityById = referencesById<EntityRow>('Entity', ({ reads, viewer }, ids, query) =>
  reads.entity.findMany({ ...query, where: { ...visible(viewer), id: { in: ids } } }),
)

builder.asEntity(Organisation, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, context, info) => organisationById(context, info, id),
})
builder.asEntity(User, {
  key: [builder.selection<{ id: string }>('id'), builder.selection<{ sourcedId: string }>('sourcedId')],
  resolveReference: (key, context, info) =>
    'id' in key ? userById(context, info, key.id) : userBySourcedId(context, info, key.sourcedId),
})
builder.asEntity(Entity, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, context, info) => entityById(context, info, id),
})
