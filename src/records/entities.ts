import { builder } from '../builder.js'
import type { AssessmentRecord as AssessmentRecordRow, Folder as FolderRow } from '../generated/prisma/client.js'
import { referencesById } from '../shared/references.js'
import { visible } from './access.js'
import { AssessmentRecord } from './schema.js'

export const recordById = referencesById<AssessmentRecordRow>('AssessmentRecord', ({ reads, viewer }, ids, query) =>
  reads.assessmentRecord.findMany({ ...query, where: { ...visible(viewer), id: { in: ids } } }),
)

export const folderById = referencesById<FolderRow>('Folder', ({ reads, viewer }, ids, query) =>
  reads.folder.findMany({ ...query, where: { ...visible(viewer), id: { in: ids } } }),
)

builder.asEntity(AssessmentRecord, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, context, info) => recordById(context, info, id),
})
