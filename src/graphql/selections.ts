import { type FieldNode, type GraphQLResolveInfo, Kind, type SelectionNode, type SelectionSetNode } from 'graphql'

/**
 * The fields that a document selects directly below the field that is being resolved, including those in fragments of any type. Each
 * fragment is entered once: with fragments that spread the next one twice, the time would otherwise grow exponentially.
 *
 * @param counts whether to include a field, or to enter a fragment; by default all
 */
export function selectedFields({ fieldNodes, fragments }: GraphQLResolveInfo, counts: (part: SelectionNode) => boolean = () => true): FieldNode[] {
  const fields: FieldNode[] = []
  const entered = new Set<string>()
  const enter = (selectionSet: SelectionSetNode | undefined) => {
    for (const part of selectionSet?.selections ?? []) {
      if (!counts(part)) continue
      if (part.kind === Kind.FIELD) fields.push(part)
      else if (part.kind === Kind.INLINE_FRAGMENT) enter(part.selectionSet)
      else if (!entered.has(part.name.value)) {
        entered.add(part.name.value)
        enter(fragments[part.name.value]?.selectionSet)
      }
    }
  }
  for (const { selectionSet } of fieldNodes) enter(selectionSet)
  return fields
}
