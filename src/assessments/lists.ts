import type { Assessment, Prisma } from '../generated/prisma/client.js'
import { exactId, substring } from '../domain/conditions.js'
import { NAME_LENGTH } from '../domain/validation.js'
import { anyOf } from '../graphql/filters.js'
import { orderColumns, orderOf, type OrderBy, type PageArguments, planPage } from '../graphql/pagination.js'
import type { Viewer } from '../domain/viewer.js'
import { visible } from './access.js'

/* The filter and orders of the lists of assessments. */

const column = orderColumns<Pick<Assessment, 'id' | 'name' | 'createdAt' | 'updatedAt' | 'overallRiskScore'>>()
const order = {
  CREATED_AT: column.date('createdAt'),
  UPDATED_AT: column.date('updatedAt'),
  NAME: column.text('name', NAME_LENGTH),
  OVERALL_RISK_SCORE: column.nullableNumber('overallRiskScore'),
}
const id = column.uuid('id')

export interface AssessmentFilterShape {
  oid?: number[] | null
  status?: Assessment['status'][] | null
  riskLevel?: NonNullable<Assessment['overallRiskLevel']>[] | null
  workflowState?: Assessment['workflowState'][] | null
  entityId?: string | null
  templateId?: string | null
  createdById?: string | null
  search?: string | null
  updatedSince?: Date | null
}

/** @param list names the list in its cursors, which are not valid for other lists */
export function planAssessments(
  viewer: Viewer,
  args: PageArguments & { filter?: AssessmentFilterShape | null; orderBy?: OrderBy<keyof typeof order> },
  list = 'assessments',
) {
  const filter = args.filter ?? {}
  const { oid, status, riskLevel, workflowState, entityId, templateId, createdById, search, updatedSince } = filter
  const where: Prisma.AssessmentWhereInput = {
    ...visible(viewer),
    ...(oid && { oid: anyOf(oid) }),
    ...(status && { status: anyOf(status) }),
    ...(riskLevel && { overallRiskLevel: anyOf(riskLevel) }),
    ...(workflowState && { workflowState: anyOf(workflowState) }),
    ...(entityId != null && { entityId: exactId(entityId) }),
    ...(templateId != null && { templateId: exactId(templateId) }),
    ...(createdById != null && { createdById: exactId(createdById) }),
    ...(search != null && { OR: [{ name: substring(search, NAME_LENGTH) }, { companyName: substring(search, NAME_LENGTH) }] }),
    ...(updatedSince && { updatedAt: { gte: updatedSince } }),
  }
  return { where, page: planPage(args, orderOf(order, args.orderBy, 'CREATED_AT', id), [list, args.filter]) }
}
