import { readFile } from 'node:fs/promises'
import {
  buildSchema,
  findBreakingChanges,
  graphqlSync,
  type GraphQLNamedType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
} from 'graphql'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { schema } from '../../src/server/schema.js'

const contract = buildSchema(await readFile(new URL('contract.graphql', import.meta.url), 'utf8'))
const onDisk = await readFile(new URL('../../schema.graphql', import.meta.url), 'utf8')

test('schema.graphql is what the code serves to a composer', () => {
  const { data } = graphqlSync({ schema, source: '{ _service { sdl } }' })
  const { _service } = z.object({ _service: z.object({ sdl: z.string() }) }).parse(data)
  expect(onDisk).toBe(`${_service.sdl.trim()}\n`)
})

test('schema.graphql breaks nothing of the contract', () => {
  expect(findBreakingChanges(contract, buildSchema(onDisk, { assumeValidSDL: true }))).toEqual([])
})

test('schema.graphql has every field and argument of the contract with exactly its type', () => {
  const served = signatures(buildSchema(onDisk, { assumeValidSDL: true }))
  const missing = [...signatures(contract)].filter((signature) => !served.has(signature))
  expect(missing).toEqual([])
})

test('everything in schema.graphql is described', () => {
  const undescribed = ownTypes(buildSchema(onDisk, { assumeValidSDL: true })).flatMap((type) => {
    const parts = [{ name: type.name, description: type.description }]
    for (const value of isEnumType(type) ? type.getValues() : []) parts.push({ ...value, name: `${type.name}.${value.name}` })
    for (const field of fieldsOf(type)) {
      parts.push({ name: `${type.name}.${field.name}`, description: field.description })
      for (const arg of field.args) parts.push({ name: `${type.name}.${field.name}(${arg.name})`, description: arg.description })
    }
    return parts.filter(({ description }) => !description?.trim()).map(({ name }) => name)
  })
  expect(undescribed).toEqual([])
})

/** The types that the schema itself declares. */
function ownTypes(of: GraphQLSchema): GraphQLNamedType[] {
  return Object.values(of.getTypeMap()).filter((type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type))
}

/** The fields of an object, interface or input type; those of the last have no arguments. */
function fieldsOf(type: GraphQLNamedType) {
  if (isInputObjectType(type)) return Object.values(type.getFields()).map((field) => ({ ...field, args: [] }))
  return isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : []
}

/** Every field and argument with its type, as one line each. */
function signatures(of: GraphQLSchema): Set<string> {
  return new Set(
    ownTypes(of).flatMap((type) =>
      fieldsOf(type).flatMap((field) => [
        `${type.name}.${field.name}: ${String(field.type)}`,
        ...field.args.map((arg) => `${type.name}.${field.name}(${arg.name}: ${String(arg.type)})`),
      ]),
    ),
  )
}
