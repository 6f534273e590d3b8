import type { AssessmentTemplate, Prisma } from '../generated/prisma/client.js'
import { exactText, substring } from '../domain/conditions.js'
import { NAME_LENGTH } from '../domain/validation.js'
import { orderColumns, orderOf, type OrderBy, type PageArguments, planPage } from '../graphql/pagination.js'
import type { Viewer } from '../domain/viewer.js'
import { visible } from './access.js'
import { TYPE_LENGTH } from './rules.js'

const template = orderColumns<Pick<AssessmentTemplate, 'id' | 'name' | 'createdAt'>>()
const templateOrder = { CREATED_AT: template.date('createdAt'), NAME: template.text('name', NAME_LENGTH) }
const templateId = template.uuid('id')

/** The filter and order of the list of templates. */
export function planTemplates(
  viewer: Viewer,
  args: PageArguments & {
    filter?: { type?: string | null; search?: string | null } | null
    orderBy?: OrderBy<keyof typeof templateOrder>
  },
) {
  const { type, search } = args.filter ?? {}
  const where: Prisma.AssessmentTemplateWhereInput = {
    ...visible(viewer),
    ...(type != null && { type: exactText(type, TYPE_LENGTH) }),
    ...(search != null && { name: substring(search, NAME_LENGTH) }),
  }
  return { where, page: planPage(args, orderOf(templateOrder, args.orderBy, 'CREATED_AT', templateId), ['assessmentTemplates', args.filter]) }
}
