import type { ObjectFieldsShape, ObjectRef } from '@pothos/core'
import { builder } from './builder.js'
import { isFailure } from '../domain/failures.js'

type Types = typeof builder.$inferSchemaTypes

/**
 * Declares the result of a mutation: the union `<Mutation>Payload` of a success type, whose `fields` are declared here, and of the failures
 * that a client can act on.
 */
export function mutationPayload<Success extends object, Failures extends ObjectRef<Types, object>[]>(
  mutation: string,
  success: ObjectRef<Types, Success>,
  failures: [...Failures],
  fields: ObjectFieldsShape<Types, Success>,
) {
  builder.objectType(success, {
    description: 'It was done, whole.',
    isTypeOf: (value) => !isFailure(value),
    fields,
  })
  return builder.unionType(`${mutation}Payload`, {
    description: 'What was done, or a failure that a client can act on. A failure has changed nothing.',
    types: [success, ...failures],
  })
}

export const expectedVersionDescription =
  'The version that the change is based on. When the row has another one, nothing is changed and the answer is a ConflictError. Left out or null: last write wins.'
