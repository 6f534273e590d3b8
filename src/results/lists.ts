import type { AssessmentLineItem, AssessmentResult, Prisma } from '../generated/prisma/client.js'
import { exactSourcedId, substring } from '../domain/conditions.js'
import { NAME_LENGTH } from '../domain/validation.js'
import { anyOf } from '../graphql/filters.js'
import { orderColumns, orderOf, type OrderBy, type PageArguments, planPage } from '../graphql/pagination.js'
import type { Viewer } from '../domain/viewer.js'
import { visible } from './access.js'

/* The filters and orders of the lists of results and line items. */

const column = orderColumns<Pick<AssessmentResult, 'id' | 'scoreDate' | 'updatedAt' | 'score'>>()
const order = {
  SCORE_DATE: column.date('scoreDate'),
  DATE_LAST_MODIFIED: column.date('updatedAt'),
  SCORE: column.nullableNumber('score'),
}
const id = column.uuid('id')

interface ResultFilter {
  status?: AssessmentResult['status'][] | null
  scoreStatus?: AssessmentResult['scoreStatus'][] | null
  studentSourcedId?: string | null
  assessmentLineItemSourcedId?: string | null
  modifiedSince?: Date | null
}

/** @param list names the list in its cursors, which are not valid for other lists */
export function planResults(
  viewer: Viewer,
  args: PageArguments & { filter?: ResultFilter | null; orderBy?: OrderBy<keyof typeof order> },
  list = 'assessmentResults',
) {
  const { status, scoreStatus, studentSourcedId, assessmentLineItemSourcedId, modifiedSince } = args.filter ?? {}
  const where: Prisma.AssessmentResultWhereInput = {
    ...visible(viewer),
    ...(status && { status: anyOf(status) }),
    ...(scoreStatus && { scoreStatus: anyOf(scoreStatus) }),
    ...(studentSourcedId != null && { student: { ...visible(viewer), sourcedId: exactSourcedId(studentSourcedId) } }),
    ...(assessmentLineItemSourcedId != null && {
      assessmentLineItem: { ...visible(viewer), sourcedId: exactSourcedId(assessmentLineItemSourcedId) },
    }),
    ...(modifiedSince && { updatedAt: { gte: modifiedSince } }),
  }
  return { where, page: planPage(args, orderOf(order, args.orderBy, 'DATE_LAST_MODIFIED', id), [list, args.filter]) }
}

const lineItem = orderColumns<Pick<AssessmentLineItem, 'id' | 'createdAt'>>()
const lineItemOrder = { CREATED_AT: lineItem.date('createdAt') }
const lineItemId = lineItem.uuid('id')

export function planLineItems(viewer: Viewer, args: PageArguments & { search?: string | null }) {
  const where: Prisma.AssessmentLineItemWhereInput = {
    ...visible(viewer),
    ...(args.search != null && { title: substring(args.search, NAME_LENGTH) }),
  }
  return { where, page: planPage(args, orderOf(lineItemOrder, null, 'CREATED_AT', lineItemId), ['assessmentLineItems', args.search]) }
}
