import { builder } from './builder.js'

const OrderDirection = builder.enumType('OrderDirection', {
  description: 'Which end of an order comes first. Nulls come last in both directions.',
  values: {
    ASC: { description: 'The lowest, earliest or alphabetically first comes first.' },
    DESC: { description: 'The highest, latest or alphabetically last comes first.' },
  },
})

/**
 * Declares the enum `<type>OrderField` and the input `<type>Order` of a list, and returns the input.
 *
 * @param noun what descriptions call the items of the list, in the plural
 */
export function orderInput<Field extends string>(
  type: string,
  noun: string,
  fields: Record<Field, { description: string }>,
) {
  const OrderField = builder.enumType(`${type}OrderField`, {
    description: `What ${noun} can be ordered by.`,
    values: fields,
  })
  return builder.inputType(`${type}Order`, {
    description: `One term of the order of ${noun}; later terms decide between equals.`,
    fields: (t) => ({
      field: t.field({ type: OrderField, required: true, description: 'What to order by.' }),
      direction: t.field({ type: OrderDirection, required: true, description: 'Which end comes first.' }),
    }),
  })
}
