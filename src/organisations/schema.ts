import { builder } from '../graphql/builder.js'
import { listPage } from '../graphql/connections.js'
import { Scope } from '../graphql/errors.js'
import { orderInput } from '../graphql/order.js'
import { Node } from '../graphql/nodes.js'
import { isUuid } from '../domain/validation.js'
import type { Viewer as ViewerShape } from '../domain/viewer.js'
import { visible } from './access.js'
import { planEntities, planUsers } from './lists.js'

export const Organisation = builder.prismaObject('Organisation', {
  description: 'The tenant: everything belongs to exactly one, and nothing is visible from another.',
  interfaces: [Node],
  select: { id: true },
  fields: (t) => ({
    companyId: t.exposeInt('companyId', { description: 'The small integer that older interfaces know the organisation by.' }),
    name: t.exposeString('name', { description: 'Its name.' }),
  }),
})

export const User = builder.prismaObject('User', {
  description: 'A person: who creates, assesses or is assessed, or a student.',
  interfaces: [Node],
  select: { id: true },
  fields: (t) => ({
    sourcedId: t.exposeID('sourcedId', { nullable: true, description: 'The person’s id in the system of record, unique in the organisation.' }),
    subject: t.exposeString('subject', { nullable: true, description: 'The `sub` of the person’s tokens, unique in the organisation.' }),
    name: t.exposeString('name', { description: 'Full name.' }),
  }),
})

export const Entity = builder.prismaObject('Entity', {
  description: 'What an assessment is about, such as a company.',
  interfaces: [Node],
  select: { id: true },
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its name.' }),
    companyType: t.exposeString('companyType', { nullable: true, description: 'Type or category of company; copied onto new assessments.' }),
    country: t.exposeString('country', { nullable: true, description: 'Country of operation; copied onto new assessments.' }),
  }),
})

const Viewer = builder.objectRef<ViewerShape>('Viewer').implement({
  description: 'Whom the credential of this request stands for.',
  fields: (t) => ({
    organisation: t.expose('organisation', { type: Organisation, description: 'The organisation that every read and write is bound to.' }),
    user: t.expose('user', { type: User, nullable: true, description: 'The person, if the credential names one that is known.' }),
    scopes: t.field({
      type: [Scope],
      description: 'What the credential allows, each _READ that a _WRITE includes among it.',
      resolve: ({ scopes }) => [...scopes],
    }),
  }),
})

const UserConnection = builder.connectionObject(
  { type: User, name: 'UserConnection', description: 'A page of users.' },
  { name: 'UserEdge', description: 'A user in its list.' },
)

const EntityConnection = builder.connectionObject(
  { type: Entity, name: 'EntityConnection', description: 'A page of entities.' },
  { name: 'EntityEdge', description: 'An entity in its list.' },
)

const UserFilter = builder.inputType('UserFilter', {
  description: 'Which users to list; all conditions given must hold.',
  fields: (t) => ({
    search: t.string({ description: 'A part of the name, in any case.' }),
    sourcedId: t.id({ description: 'Exactly this sourcedId.' }),
    subject: t.string({ description: 'Exactly this subject.' }),
  }),
})

const EntityFilter = builder.inputType('EntityFilter', {
  description: 'Which entities to list; all conditions given must hold.',
  fields: (t) => ({
    search: t.string({ description: 'A part of the name, in any case.' }),
    country: t.string({ description: 'Exactly this country.' }),
  }),
})

const EntityOrder = orderInput('Entity', 'entities', { NAME: { description: 'The name.' }, CREATED_AT: { description: 'When it was added.' } })

builder.queryFields((t) => ({
  viewer: t.field({ type: Viewer, description: 'Whom this request’s credential stands for.', resolve: (_root, _args, { viewer }) => viewer }),
  user: t.prismaField({
    type: User,
    nullable: true,
    description: 'One user.',
    args: { id: t.arg.id({ required: true, description: 'UUID of the user.' }) },
    resolve: (query, _root, { id }, { store, viewer }) =>
      isUuid(id) ? store.user.findUnique({ ...query, where: { ...visible(viewer), id: id.toLowerCase() } }) : null,
  }),
  users: t.connection(
    {
      type: User,
      description: 'The users of the organisation, the newest first.',
      args: { filter: t.arg({ type: UserFilter, description: 'Which to list.' }) },
      resolve: (_root, args, context, info) =>
        listPage(context, info, context.store.user, planUsers(context.viewer, args)),
    },
    UserConnection,
  ),
  entity: t.prismaField({
    type: Entity,
    nullable: true,
    description: 'One entity.',
    args: { id: t.arg.id({ required: true, description: 'UUID of the entity.' }) },
    resolve: (query, _root, { id }, { store, viewer }) =>
      isUuid(id) ? store.entity.findUnique({ ...query, where: { ...visible(viewer), id: id.toLowerCase() } }) : null,
  }),
  entities: t.connection(
    {
      type: Entity,
      description: 'The entities of the organisation, the newest first unless ordered otherwise.',
      args: {
        filter: t.arg({ type: EntityFilter, description: 'Which to list.' }),
        orderBy: t.arg({ type: [EntityOrder], description: 'In which order.' }),
      },
      resolve: (_root, args, context, info) =>
        listPage(context, info, context.store.entity, planEntities(context.viewer, args)),
    },
    EntityConnection,
  ),
}))
