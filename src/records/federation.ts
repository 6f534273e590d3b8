import { builder } from '../graphql/builder.js'
import type { AssessmentRecord as AssessmentRecordRow, Folder as FolderRow } from '../generated/prisma/client.js'
import { registerNodeType } from '../graphql/nodes.js'
import { referencesById } from '../graphql/references.js'
import { visible } from './access.js'
import { AssessmentRecord, Folder } from './schema.js'

export const recordById = referencesById<AssessmentRecordRow>('AssessmentRecord', ({ store, viewer }, ids, query) =>
  store.assessmentRecord.findMany({ ...query, where: { ...visible(viewer), id: { in: ids } } }),
)

const folderById = referencesById<FolderRow>('Folder', ({ store, viewer }, ids, query) =>
  store.folder.findMany({ ...query, where: { ...visible(viewer), id: { in: ids } } }),
)

builder.asEntity(AssessmentRecord, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, context, info) => recordById(context, info, id),
})

registerNodeType(Folder, folderById)
registerNodeType(AssessmentRecord, recordById)
