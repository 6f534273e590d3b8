import { type FieldNode, type GraphQLResolveInfo, Kind, type SelectionNode, type SelectionSetNode } from 'graphql'

/**
 * The fields that a document selects below the one that is being resolved, by fragments too, whatever type these
 * are for. Each fragment is entered once: where each holds the next one twice, the time would double with every one.
 *
 * @param counts whether a part of a selection, with all that is in it, is looked at
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
