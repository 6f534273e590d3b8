import { type ExecutionResult, GraphQLError, NoSchemaIntrospectionCustomRule, type ValidationRule } from 'graphql'
import { isAsyncIterable, type Plugin } from 'graphql-yoga'

/** Hides the schema: refuses introspection and federation's SDL, and removes suggestions of similar names from errors. */
export function useHiddenSchema(): Plugin {
  return {
    onValidate({ addValidationRule }) {
      addValidationRule(NoSchemaIntrospectionCustomRule)
      addValidationRule(NoServiceDefinitionRule)
    },
    onExecutionResult({ result, setResult }) {
      if (!result || Array.isArray(result) || isAsyncIterable(result) || !result.errors) return
      setResult(withoutSuggestions(result))
    },
  }
}

/** Refuses federation's `_service`, whose `sdl` is the whole schema. */
const NoServiceDefinitionRule: ValidationRule = (context) => ({
  Field(node) {
    if (context.getParentType() === context.getSchema().getQueryType() && node.name.value === '_service') {
      context.reportError(new GraphQLError('The schema is not shown here.', { nodes: node }))
    }
  },
})

function withoutSuggestions(result: ExecutionResult): ExecutionResult {
  return {
    ...result,
    errors: result.errors?.map((error) => {
      const message = error.message.replace(/ Did you mean .*\?$/s, '')
      if (message === error.message) return error
      const { nodes, source, positions, path, originalError, extensions } = error
      return new GraphQLError(message, { nodes, source, positions, path, originalError, extensions })
    }),
  }
}
