import { builder } from '../builder.js'
import type { AssessmentRecord as AssessmentRecordRow, Folder as FolderRow } from '../generated/prisma/client.js'
import { referencesById } from '../shared/references.js'
import { visible } from './access.js'
import { AssessmentRecord } from './schema.js'

export const recordById = referencesById<AssessmentRecordRow>('AssessmentRecord', ({ db, viewer }, ids, query) =>
  db.assessmentRecord.findMany({ ...query, where: { ...visible(viewer), id: { in: ids } } }),
)

export const folderById = referencesById<FolderRow>('Folder', ({ db, viewer }, ids, query) =>
  db.folder.findMany({ ...query, where: { ...visible(viewer), id: { in: ids } } }),
)

builder.asEntity(AssessmentRecord, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, context, info) => recordById(context, info, id),
})
