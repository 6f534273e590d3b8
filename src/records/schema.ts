import { builder } from '../graphql/builder.js'
import { OrganisationLoaders } from '../organisations/loaders.js'
import { RecordLoaders } from './loaders.js'
import { TemplateLoaders } from '../templates/loaders.js'
import type { AssessmentRecord as AssessmentRecordRow } from '../generated/prisma/client.js'
import { Organisation } from '../organisations/schema.js'
import { batchedConnection, listPage } from '../graphql/connections.js'
import { orderInput } from '../graphql/order.js'
import { Node } from '../graphql/nodes.js'
import { isUuid } from '../domain/validation.js'
import { Versioned } from '../versioning/schema.js'
import { AssessmentTemplate } from '../templates/schema.js'
import { visible } from './access.js'
import { planRecords } from './lists.js'
import { isExpired } from './rules.js'

export const AssessmentRecordStatus = builder.enumType('AssessmentRecordStatus', {
  description: 'What an assessment record says of its user.',
  values: {
    PENDING: { description: 'Not assessed yet.' },
    PASSED: { description: 'Assessed and passed; valid until expiresAt.' },
    FAILED: { description: 'Assessed and failed.' },
  },
})

export const Folder = builder.prismaObject('Folder', {
  description: 'Where records are filed.',
  interfaces: [Node],
  select: { id: true },
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its name.' }),
  }),
})

export const AssessmentRecord = builder.prismaObject('AssessmentRecord', {
  description: 'Evidence that a user was assessed against a definition, with an expiry.',
  interfaces: [Versioned, Node],
  authScopes: { scope: 'RECORDS_READ' },
  // Always read, whatever the document selects, because resolvers need these columns.
  select: {
    id: true,
    version: true,
    userId: true,
    assessmentDefinitionId: true,
    assessorId: true,
    folderId: true,
  },
  fields: (t) => ({
    status: t.expose('status', { type: AssessmentRecordStatus, description: 'What it says of the user.' }),
    assessmentDate: t.expose('assessmentDate', { type: 'DateTime', nullable: true, description: 'When the user was assessed.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'While PASSED, assessmentDate plus the definition’s validityDays (days of 24 hours); otherwise null.',
    }),
    isExpired: t.boolean({ description: 'Whether expiresAt has come.', select: { expiresAt: true }, resolve: (row) => isExpired(row.expiresAt, new Date()) }),
    organisation: t.field({ type: Organisation, description: 'The organisation it belongs to.', resolve: (_row, _args, { viewer }) => viewer.organisation }),
    user: t.relation('user', {
      description: 'Who was assessed.',
      resolve: (_query, row, _args, { loaders }) => loaders.of(OrganisationLoaders).users.load(row.userId),
    }),
    assessmentDefinition: t.relation('assessmentDefinition', {
      description: 'What the user was assessed against.',
      resolve: (_query, row, _args, { loaders }) => loaders.of(TemplateLoaders).templates.load(row.assessmentDefinitionId),
    }),
    assessor: t.relation('assessor', {
      nullable: true,
      description: 'Who assessed.',
      resolve: (_query, row, _args, { loaders }) => (row.assessorId ? loaders.of(OrganisationLoaders).users.load(row.assessorId) : null),
    }),
    folder: t.relation('folder', {
      nullable: true,
      description: 'Where it is filed.',
      resolve: (_query, row, _args, { loaders }) => (row.folderId ? loaders.of(RecordLoaders).folders.load(row.folderId) : null),
    }),
  }),
})

const AssessmentRecordConnection = builder.connectionObject(
  { type: AssessmentRecord, name: 'AssessmentRecordConnection', description: 'A page of assessment records.' },
  { name: 'AssessmentRecordEdge', description: 'An assessment record in its list.' },
)

const AssessmentRecordFilter = builder.inputType('AssessmentRecordFilter', {
  description: 'Which records to list; all conditions given must hold. A list matches any of its values.',
  fields: (t) => ({
    status: t.field({ type: [AssessmentRecordStatus], description: 'One of these statuses.' }),
    userId: t.id({ description: 'Of the user with this UUID.' }),
    assessorId: t.id({ description: 'Assessed by the user with this UUID.' }),
    assessmentDefinitionId: t.id({ description: 'Against the definition with this UUID.' }),
    expiresBefore: t.field({ type: 'DateTime', description: 'Expiring before this time.' }),
    expiresAfter: t.field({ type: 'DateTime', description: 'Expiring after this time.' }),
    updatedSince: t.field({ type: 'DateTime', description: 'Last changed at this time or later.' }),
  }),
})

const AssessmentRecordOrder = orderInput('AssessmentRecord', 'assessment records', {
  ASSESSMENT_DATE: { description: 'When the user was assessed; records without a date come last.' },
  EXPIRES_AT: { description: 'When it expires; records that do not come last.' },
  UPDATED_AT: { description: 'When it last changed.' },
})

builder.queryFields((t) => ({
  assessmentRecord: t.prismaField({
    type: AssessmentRecord,
    nullable: true,
    authScopes: { scope: 'RECORDS_READ' },
    description: 'One assessment record.',
    args: { id: t.arg.id({ required: true, description: 'UUID of the record.' }) },
    resolve: (query, _root, { id }, { store, viewer }) =>
      isUuid(id) ? store.assessmentRecord.findUnique({ ...query, where: { ...visible(viewer), id: id.toLowerCase() } }) : null,
  }),
  assessmentRecords: t.connection(
    {
      type: AssessmentRecord,
      authScopes: { scope: 'RECORDS_READ' },
      description: 'The assessment records of the organisation, the last changed first unless ordered otherwise.',
      args: {
        filter: t.arg({ type: AssessmentRecordFilter, description: 'Which to list.' }),
        orderBy: t.arg({ type: [AssessmentRecordOrder], description: 'In which order.' }),
      },
      resolve: (_root, args, context, info) =>
        listPage(context, info, context.store.assessmentRecord, planRecords(context.viewer, args)),
    },
    AssessmentRecordConnection,
  ),
}))

const ofTemplates = batchedConnection<AssessmentRecordRow>({
  async read({ store, viewer }, ids, records) {
    const templates = await store.assessmentTemplate.findMany({ where: { ...visible(viewer), id: { in: ids } }, select: { id: true, records } })
    return templates.map((template) => ({ id: template.id, nodes: template.records }))
  },
  async count({ store, viewer }, ids) {
    const where = { ...visible(viewer), assessmentDefinitionId: { in: ids } }
    const groups = await store.assessmentRecord.groupBy({ by: 'assessmentDefinitionId', where, _count: true })
    return groups.map(({ assessmentDefinitionId, _count }) => ({ id: assessmentDefinitionId, count: _count }))
  },
})
builder.prismaObjectField(AssessmentTemplate, 'records', (t) =>
  t.connection(
    {
      type: AssessmentRecord,
      authScopes: { scope: 'RECORDS_READ' },
      description: 'The records of users assessed against this definition, the last changed first.',
      resolve: ({ id }, args, context, info) =>
        ofTemplates(context, info, id, planRecords(context.viewer, args, 'AssessmentTemplate.records').page),
    },
    AssessmentRecordConnection,
  ),
)
