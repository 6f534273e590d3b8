// Imports users and entities.
import { z } from 'zod'
import type { ServiceContext } from '../domain/service-context.js'
import type { ValidationIssue } from '../domain/failures.js'
import { batches, findReferenced, type Imported, uniqueRows, upsertRows } from '../domain/import-rows.js'
import { name, sourcedId, text } from '../domain/validation.js'
import { visible } from './access.js'
import { COUNTRY_LENGTH, SUBJECT_LENGTH } from './rules.js'

const user = z.strictObject({ sourcedId, subject: text({ min: 1, max: SUBJECT_LENGTH }).nullish(), name })
const entity = z.strictObject({
  sourcedId,
  name,
  companyType: text({ min: 1, max: 100 }).nullish(),
  country: text({ min: 1, max: COUNTRY_LENGTH }).nullish(),
})

/** The lists of an import file that this module imports. */
export const organisationRows = {
  users: uniqueRows(user, ['sourcedId', 'subject']).default([]),
  entities: uniqueRows(entity).default([]),
}

export async function importUsers({ store, viewer }: ServiceContext, users: z.output<typeof user>[]): Promise<Imported> {
  const { issues, released } = await releaseSubjects({ store, viewer }, users)
  const refused = new Set(issues.map(({ path }) => path[1]))
  const rows = users.map((row, index) => ({
    index,
    sourcedId: row.sourcedId,
    // A refused subject is imported as null, so that the rest of the file is checked too. The issue rolls everything back later.
    columns: { name: row.name, subject: refused.has(String(index)) ? null : (row.subject ?? null) },
  }))
  const imported = await upsertRows('users', rows, {
    async find(sourcedIds) {
      const stored = await store.user.findMany({ where: { ...visible(viewer), sourcedId: { in: sourcedIds } } })
      return stored.map((row) => ({ ...row, subject: released.get(row.id) ?? row.subject }))
    },
    create: (data) => store.user.createMany({ data: data.map((row) => ({ ...row, organisationId: viewer.organisation.id })) }),
    update: ({ id }, data) => store.user.update({ where: { id }, data }),
  })
  return { ...imported, issues: [...issues, ...imported.issues] }
}

/**
 * Subjects are unique at every moment, also in the middle of an import. So if the file moves a subject from one of its users to another,
 * the first user's is set to null before anything else is written. It is an issue if the user who has the subject is not in the file.
 *
 * @returns the issues, and the subjects that were removed by the id of their user
 */
async function releaseSubjects({ store, viewer }: ServiceContext, users: z.output<typeof user>[]) {
  const inFile = new Set(users.map((row) => row.sourcedId))
  const claims = new Map(users.map((row, index) => [row.subject, { index, sourcedId: row.sourcedId }]))
  const holders = await findReferenced(
    users.map(({ subject }) => subject),
    (subjects) => store.user.findMany({ where: { ...visible(viewer), subject: { in: subjects } } }),
  )
  const issues: ValidationIssue[] = []
  const released = new Map<string, string | null>()
  for (const holder of holders) {
    const claim = claims.get(holder.subject)
    if (!claim || claim.sourcedId === holder.sourcedId) continue
    if (holder.sourcedId !== null && inFile.has(holder.sourcedId)) released.set(holder.id, holder.subject)
    else {
      const message = `Another user, who is not in this file, has the subject "${holder.subject ?? ''}".`
      issues.push({ path: ['users', String(claim.index), 'subject'], code: 'DUPLICATE', message })
    }
  }
  for (const ids of batches([...released.keys()])) {
    await store.user.updateMany({ where: { ...visible(viewer), id: { in: ids } }, data: { subject: null } })
  }
  return { issues, released }
}

export function importEntities({ store, viewer }: ServiceContext, entities: z.output<typeof entity>[]): Promise<Imported> {
  const rows = entities.map(({ sourcedId: key, name: entityName, companyType, country }, index) => ({
    index,
    sourcedId: key,
    columns: { name: entityName, companyType: companyType ?? null, country: country ?? null },
  }))
  return upsertRows('entities', rows, {
    find: (sourcedIds) => store.entity.findMany({ where: { ...visible(viewer), sourcedId: { in: sourcedIds } } }),
    create: (data) => store.entity.createMany({ data: data.map((row) => ({ ...row, organisationId: viewer.organisation.id })) }),
    update: ({ id }, data) => store.entity.update({ where: { id }, data }),
  })
}
