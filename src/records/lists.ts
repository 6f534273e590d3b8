import type { AssessmentRecord, Prisma } from '../generated/prisma/client.js'
import { exactId } from '../domain/conditions.js'
import { anyOf } from '../graphql/filters.js'
import { orderColumns, orderOf, type OrderBy, type PageArguments, planPage } from '../graphql/pagination.js'
import type { Viewer } from '../domain/viewer.js'
import { visible } from './access.js'

const column = orderColumns<Pick<AssessmentRecord, 'id' | 'assessmentDate' | 'expiresAt' | 'updatedAt'>>()
const order = {
  ASSESSMENT_DATE: column.nullableDate('assessmentDate'),
  EXPIRES_AT: column.nullableDate('expiresAt'),
  UPDATED_AT: column.date('updatedAt'),
}
const id = column.uuid('id')

interface RecordFilter {
  status?: AssessmentRecord['status'][] | null
  userId?: string | null
  assessorId?: string | null
  assessmentDefinitionId?: string | null
  expiresBefore?: Date | null
  expiresAfter?: Date | null
  updatedSince?: Date | null
}

/**
 * The filter and orders of the lists of records.
 *
 * @param list names the list in its cursors, which are not valid for other lists
 */
export function planRecords(
  viewer: Viewer,
  args: PageArguments & { filter?: RecordFilter | null; orderBy?: OrderBy<keyof typeof order> },
  list = 'assessmentRecords',
) {
  const { status, userId, assessorId, assessmentDefinitionId, expiresBefore, expiresAfter, updatedSince } = args.filter ?? {}
  const where: Prisma.AssessmentRecordWhereInput = {
    ...visible(viewer),
    ...(status && { status: anyOf(status) }),
    ...(userId != null && { userId: exactId(userId) }),
    ...(assessorId != null && { assessorId: exactId(assessorId) }),
    ...(assessmentDefinitionId != null && { assessmentDefinitionId: exactId(assessmentDefinitionId) }),
    ...((expiresBefore || expiresAfter) && {
      expiresAt: { ...(expiresBefore && { lt: expiresBefore }), ...(expiresAfter && { gt: expiresAfter }) },
    }),
    ...(updatedSince && { updatedAt: { gte: updatedSince } }),
  }
  return { where, page: planPage(args, orderOf(order, args.orderBy, 'UPDATED_AT', id), [list, args.filter]) }
}
