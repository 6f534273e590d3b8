import { type GraphQLSchema, isAbstractType, isEnumType, isInputObjectType, isInterfaceType, isObjectType, printSchema } from 'graphql'

/**
 * The lengths of what the schema says about itself, by coordinate: of introspection's lists in items, and of federation's SDL in characters.
 * Lists have their average length in this schema, so that introspection of the whole schema costs what its answer holds.
 */
export function schemaLengths(schema: GraphQLSchema): Record<string, number> {
  const types = Object.values(schema.getTypeMap())
  const fields = types.flatMap((type) => (isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : []))
  const directives = schema.getDirectives()
  const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0)
  const perType = (count: number) => count / types.length
  return {
    '_Service.sdl': printSchema(schema).length,
    '__Schema.types': types.length,
    '__Schema.directives': directives.length,
    '__Directive.args': sum(directives.map(({ args }) => args.length)) / directives.length,
    '__Type.fields': perType(fields.length),
    '__Field.args': sum(fields.map(({ args }) => args.length)) / fields.length,
    '__Type.inputFields': perType(sum(types.map((type) => (isInputObjectType(type) ? Object.keys(type.getFields()).length : 0)))),
    '__Type.enumValues': perType(sum(types.map((type) => (isEnumType(type) ? type.getValues().length : 0)))),
    '__Type.interfaces': perType(sum(types.map((type) => (isObjectType(type) || isInterfaceType(type) ? type.getInterfaces().length : 0)))),
    '__Type.possibleTypes': perType(sum(types.map((type) => (isAbstractType(type) ? schema.getPossibleTypes(type).length : 0)))),
  }
}
