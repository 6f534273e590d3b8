// Imports score scales and line items.
import { z } from 'zod'
import type { ServiceContext } from '../domain/service-context.js'
import { description, findReferenced, type Imported, uniqueRows, unknownReference, upsertRows } from '../domain/import-rows.js'
import { name, refuse, sourcedId, text } from '../domain/validation.js'
import { visible } from './access.js'
import { scoreScaleValues } from './rules.js'

const scoreScale = z.strictObject({ sourcedId, title: name, type: text({ min: 1, max: 100 }), values: scoreScaleValues })

const lineItem = z
  .strictObject({
    sourcedId,
    title: name,
    description: description.nullish(),
    resultValueMin: z.number().nullish(),
    resultValueMax: z.number().nullish(),
    scoreScaleSourcedId: sourcedId.nullish(),
  })
  .superRefine(({ resultValueMin, resultValueMax }, context) => {
    if (resultValueMin != null && resultValueMax != null && resultValueMin > resultValueMax) {
      refuse(context, 'OUT_OF_RANGE', 'resultValueMin is above resultValueMax.')
    }
  })

/** The lists of an import file that this module imports. */
export const resultRows = {
  scoreScales: uniqueRows(scoreScale).default([]),
  lineItems: uniqueRows(lineItem).default([]),
}

export function importScoreScales({ store, viewer }: ServiceContext, scales: z.output<typeof scoreScale>[]): Promise<Imported> {
  const rows = scales.map(({ sourcedId: key, ...columns }, index) => ({ index, sourcedId: key, columns }))
  return upsertRows('scoreScales', rows, {
    find: (sourcedIds) => store.scoreScale.findMany({ where: { ...visible(viewer), sourcedId: { in: sourcedIds } } }),
    create: (data) => store.scoreScale.createMany({ data: data.map((row) => ({ ...row, organisationId: viewer.organisation.id })) }),
    update: ({ id }, data) => store.scoreScale.update({ where: { id }, data }),
  })
}

export async function importLineItems({ store, viewer }: ServiceContext, lineItems: z.output<typeof lineItem>[]): Promise<Imported> {
  const scales = await findReferenced(
    lineItems.map((it) => it.scoreScaleSourcedId),
    (names) => store.scoreScale.findMany({ where: { ...visible(viewer), sourcedId: { in: names } }, select: { id: true, sourcedId: true } }),
  )
  const scaleIds = new Map(scales.map((row) => [row.sourcedId, row.id]))
  const issues = lineItems.flatMap(({ scoreScaleSourcedId: scale }, index) =>
    scale == null || scaleIds.has(scale) ? [] : [unknownReference(['lineItems', index, 'scoreScaleSourcedId'], 'score scale', scale)],
  )
  const rows = lineItems.map(({ sourcedId: key, scoreScaleSourcedId: scale, ...row }, index) => ({
    index,
    sourcedId: key,
    columns: {
      title: row.title,
      description: row.description ?? null,
      resultValueMin: row.resultValueMin ?? null,
      resultValueMax: row.resultValueMax ?? null,
      scoreScaleId: (scale != null && scaleIds.get(scale)) || null,
    },
  }))
  const imported = await upsertRows('lineItems', rows, {
    find: (sourcedIds) => store.assessmentLineItem.findMany({ where: { ...visible(viewer), sourcedId: { in: sourcedIds } } }),
    create: (data) => store.assessmentLineItem.createMany({ data: data.map((row) => ({ ...row, organisationId: viewer.organisation.id })) }),
    update: ({ id }, data) => store.assessmentLineItem.update({ where: { id }, data }),
  })
  return { ...imported, issues: [...issues, ...imported.issues] }
}
