import type { Entity, Prisma, User } from '../generated/prisma/client.js'
import { exactSourcedId, exactText, substring } from '../domain/conditions.js'
import { NAME_LENGTH } from '../domain/validation.js'
import { orderColumns, orderOf, type OrderBy, type PageArguments, planPage } from '../graphql/pagination.js'
import type { Viewer } from '../domain/viewer.js'
import { visible } from './access.js'
import { COUNTRY_LENGTH, SUBJECT_LENGTH } from './rules.js'

/* The filters and orders of the lists of users and entities. */

const entity = orderColumns<Pick<Entity, 'id' | 'name' | 'createdAt'>>()
const entityOrder = { CREATED_AT: entity.date('createdAt'), NAME: entity.text('name', NAME_LENGTH) }
const entityId = entity.uuid('id')

export function planEntities(
  viewer: Viewer,
  args: PageArguments & {
    filter?: { search?: string | null; country?: string | null } | null
    orderBy?: OrderBy<keyof typeof entityOrder>
  },
) {
  const { search, country } = args.filter ?? {}
  const where: Prisma.EntityWhereInput = {
    ...visible(viewer),
    ...(search != null && { name: substring(search, NAME_LENGTH) }),
    ...(country != null && { country: exactText(country, COUNTRY_LENGTH) }),
  }
  return { where, page: planPage(args, orderOf(entityOrder, args.orderBy, 'CREATED_AT', entityId), ['entities', args.filter]) }
}

const user = orderColumns<Pick<User, 'id' | 'createdAt'>>()
const userOrder = { CREATED_AT: user.date('createdAt') }
const userId = user.uuid('id')

export function planUsers(
  viewer: Viewer,
  args: PageArguments & { filter?: { search?: string | null; sourcedId?: string | null; subject?: string | null } | null },
) {
  const { search, sourcedId, subject } = args.filter ?? {}
  const where: Prisma.UserWhereInput = {
    ...visible(viewer),
    ...(search != null && { name: substring(search, NAME_LENGTH) }),
    ...(sourcedId != null && { sourcedId: exactSourcedId(sourcedId) }),
    ...(subject != null && { subject: exactText(subject, SUBJECT_LENGTH) }),
  }
  return { where, page: planPage(args, orderOf(userOrder, null, 'CREATED_AT', userId), ['users', args.filter]) }
}
