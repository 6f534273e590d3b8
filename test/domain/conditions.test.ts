import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Prisma } from '../../src/generated/prisma/client.js'
import { matchesNothing } from '../../src/domain/conditions.js'
import { db } from '../gateway.js'
import { anOrganisation } from '../story.js'

test('a condition is said to match nothing exactly where no row can meet it', async () => {
  const org = await anOrganisation()
  const { id } = await org.assessment()
  const [own, none] = [{ id }, { name: { in: [] } }]
  const conditions: Prisma.AssessmentWhereInput[] = [
    own,
    none,
    { ...own, ...none },
    { id: { in: [id, randomUUID()] } },
    { OR: [none, own] },
    { OR: [none, { companyName: { in: [] } }] },
    { AND: [own, none] },
    { AND: none },
    { AND: [own, {}] },
    { entity: none },
    { ...own, NOT: none },
    { ...own, name: { not: { in: [] } } },
    { ...own, entity: { isNot: { name: { in: [] } } } },
    { ...own, entity: { assessments: { some: none } } },
    { ...own, entity: { assessments: { none } } },
    { ...own, entity: { assessments: { every: { OR: [none, own] } } } },
  ]
  for (const where of conditions) {
    const count = await db.assessment.count({ where: { organisationId: org.id, AND: [where] } })
    expect(matchesNothing(where), JSON.stringify(where)).toBe(count === 0)
  }
})
