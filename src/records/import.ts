// Imports folders and assessment records. Records are created and changed through the version gate.
import { z } from 'zod'
import type { ServiceContext } from '../domain/service-context.js'
import type { AssessmentRecord } from '../generated/prisma/client.js'
import { isFailure, type ValidationIssue } from '../domain/failures.js'
import { findReferenced, type FileRow, type Imported, instant, uniqueRows, unknownReference, upsertRows } from '../domain/import-rows.js'
import { name, sourcedId } from '../domain/validation.js'
import { changeVersioned, createVersioned, Write } from '../versioning/gate.js'
import { visible } from './access.js'
import { assessedError, expiryOf, recordStatus } from './rules.js'

const folder = z.strictObject({ sourcedId, name })

const record = z
  .strictObject({
    sourcedId,
    userSourcedId: sourcedId,
    assessmentDefinitionSourcedId: sourcedId,
    status: recordStatus,
    assessmentDate: instant.nullish(),
    assessorSourcedId: sourcedId.nullish(),
    folderSourcedId: sourcedId.nullish(),
  })
  .superRefine(({ status, assessmentDate }, context) => {
    const issue = assessedError({ status, assessmentDate: assessmentDate ?? null }, new Date())
    if (issue) context.addIssue({ code: 'custom', path: issue.path, message: issue.message, params: { code: issue.code } })
  })
type FileRecord = z.output<typeof record>

/** The lists of an import file that this module imports. */
export const recordRows = {
  folders: uniqueRows(folder).default([]),
  records: uniqueRows(record).default([]),
}

export function importFolders({ store, viewer }: ServiceContext, folders: z.output<typeof folder>[]): Promise<Imported> {
  const rows = folders.map(({ sourcedId: key, ...columns }, index) => ({ index, sourcedId: key, columns }))
  return upsertRows('folders', rows, {
    find: (sourcedIds) => store.folder.findMany({ where: { ...visible(viewer), sourcedId: { in: sourcedIds } } }),
    create: (data) => store.folder.createMany({ data: data.map((row) => ({ ...row, organisationId: viewer.organisation.id })) }),
    update: ({ id }, data) => store.folder.update({ where: { id }, data }),
  })
}

/**
 * Imports records, then updates the expiry of other records.
 *
 * @param changedValidityIds the definitions (templates) whose validityDays the file has changed
 */
export async function importRecords(services: ServiceContext, records: FileRecord[], changedValidityIds: string[]): Promise<Imported> {
  const { store, viewer } = services
  const { rows, issues } = await resolve(services, records)
  const imported = await upsertRows('records', rows, {
    find: (sourcedIds) => store.assessmentRecord.findMany({ where: { ...visible(viewer), sourcedId: { in: sourcedIds } } }),
    create: (data) => createVersioned<AssessmentRecord, (typeof data)[number]>(services, store.assessmentRecord, data),
    refuse: (stored, columns) => fixedIssues(stored, columns),
    update: ({ id }, { status, assessmentDate, assessorId, expiresAt }) =>
      change(services, id, () => ({ status, assessmentDate, assessorId, expiresAt })),
  })
  const renewed = await renewExpiries(services, changedValidityIds)
  return { ...imported, updated: imported.updated + renewed, issues: [...issues, ...imported.issues] }
}

type Columns = Pick<
  AssessmentRecord,
  'userId' | 'assessmentDefinitionId' | 'folderId' | 'status' | 'assessmentDate' | 'assessorId' | 'expiresAt'
>

/** Replaces the sourcedIds that records refer to by ids. References to unknown rows become issues. */
async function resolve({ store, viewer }: ServiceContext, records: FileRecord[]) {
  const users = await findReferenced(
    records.flatMap((it) => [it.userSourcedId, it.assessorSourcedId]),
    (names) => store.user.findMany({ where: { ...visible(viewer), sourcedId: { in: names } }, select: { id: true, sourcedId: true } }),
  )
  const definitions = await findReferenced(
    records.map((it) => it.assessmentDefinitionSourcedId),
    (names) =>
      store.assessmentTemplate.findMany({
        where: { ...visible(viewer), sourcedId: { in: names } },
        select: { id: true, sourcedId: true, validityDays: true },
      }),
  )
  const folders = await findReferenced(
    records.map((it) => it.folderSourcedId),
    (names) => store.folder.findMany({ where: { ...visible(viewer), sourcedId: { in: names } }, select: { id: true, sourcedId: true } }),
  )
  const userIds = new Map(users.map((row) => [row.sourcedId, row.id]))
  const definitionOf = new Map(definitions.map((row) => [row.sourcedId, row]))
  const folderIds = new Map(folders.map((row) => [row.sourcedId, row.id]))

  const rows: FileRow<Columns>[] = []
  const issues: ValidationIssue[] = []
  for (const [index, it] of records.entries()) {
    const missing = (field: keyof FileRecord, what: string, value: string) =>
      void issues.push(unknownReference(['records', index, field], what, value))
    const userId = userIds.get(it.userSourcedId)
    const definition = definitionOf.get(it.assessmentDefinitionSourcedId)
    const assessorId = it.assessorSourcedId == null ? null : userIds.get(it.assessorSourcedId)
    const folderId = it.folderSourcedId == null ? null : folderIds.get(it.folderSourcedId)
    if (userId === undefined) missing('userSourcedId', 'user', it.userSourcedId)
    if (definition === undefined) missing('assessmentDefinitionSourcedId', 'template', it.assessmentDefinitionSourcedId)
    if (assessorId === undefined) missing('assessorSourcedId', 'user', it.assessorSourcedId ?? '')
    if (folderId === undefined) missing('folderSourcedId', 'folder', it.folderSourcedId ?? '')
    if (userId === undefined || definition === undefined || assessorId === undefined || folderId === undefined) continue
    const state = { status: it.status, assessmentDate: it.assessmentDate ?? null }
    const expiresAt = expiryOf(state, definition.validityDays)
    const columns = { userId, assessmentDefinitionId: definition.id, folderId, ...state, assessorId, expiresAt }
    rows.push({ index, sourcedId: it.sourcedId, columns })
  }
  return { rows, issues }
}

/** The issues of a change to a column of a record that must never change. */
function fixedIssues(stored: AssessmentRecord, columns: Columns): ValidationIssue[] {
  const fixed = [
    { column: 'userId', field: 'userSourcedId', what: 'user' },
    { column: 'assessmentDefinitionId', field: 'assessmentDefinitionSourcedId', what: 'definition' },
    { column: 'folderId', field: 'folderSourcedId', what: 'folder' },
  ] as const
  return fixed
    .filter(({ column }) => stored[column] !== columns[column])
    .map(({ field, what }) => ({ path: [field], code: 'WRONG_STATE', message: `The ${what} of a stored record never changes.` }))
}

/** Updates expiresAt of the PASSED records of these definitions. Returns how many records have changed. */
async function renewExpiries(services: ServiceContext, definitionIds: string[]): Promise<number> {
  const { store, viewer } = services
  let renewed = 0
  for (const id of definitionIds) {
    const { validityDays } = await store.assessmentTemplate.findUniqueOrThrow({ where: { id } })
    const passed = await store.assessmentRecord.findMany({
      where: { ...visible(viewer), assessmentDefinitionId: id, status: 'PASSED' },
      orderBy: { id: 'asc' },
    })
    const stale = passed.filter((row) => row.expiresAt?.getTime() !== expiryOf(row, validityDays)?.getTime())
    for (const row of stale) await change(services, row.id, (current) => ({ expiresAt: expiryOf(current, validityDays) }))
    renewed += stale.length
  }
  return renewed
}

async function change(services: ServiceContext, id: string, columns: (row: AssessmentRecord) => Partial<Columns>): Promise<void> {
  const changed = await changeVersioned(services, {
    model: services.store.assessmentRecord,
    key: { id },
    expectedVersion: null,
    change: (row: AssessmentRecord) => new Write(columns(row)),
  })
  if (isFailure(changed)) throw new Error(changed.message)
}
