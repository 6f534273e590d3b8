// Random queries over the whole schema: valid in their form, with arguments that are mostly what is meant.
import fc, { type GeneratorValue } from 'fast-check'
import {
  getNamedType,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLInputType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  isRequiredArgument,
} from 'graphql'
import { schema } from '../../src/server/schema.js'
import { literalOf, type Mood, valueOf } from './inputs.js'
import type { World } from './world.js'

const MAXIMUM_DEPTH = 8
const MAXIMUM_FIELDS = 40

export interface RandomQuery {
  query: string
  variables: Record<string, unknown>
  /** How many places of the document may cost a statement each: fields that answer rows or lists of them, and counts. */
  places: number
}

/** @param conditions whether parts of it may have @include or @skip */
export function randomQuery(world: World, gen: GeneratorValue, conditions = true): RandomQuery {
  return new Writer(world, gen, conditions).write()
}

interface Fragment {
  name: string
  text: string
  fields: number
  places: number
}

class Writer {
  private fields = 0
  private places = 0
  private names = 0
  private readonly variables: Record<string, unknown> = {}
  private readonly declared: string[] = []
  private readonly fragments = new Map<string, Fragment[]>()

  constructor(
    private readonly world: World,
    private readonly gen: GeneratorValue,
    private readonly conditions: boolean,
  ) {}

  write(): RandomQuery {
    const query = schema.getQueryType()
    if (!query) throw new Error('The schema has no Query.')
    const selection = this.selection(query, MAXIMUM_DEPTH, false)
    const head = this.declared.length > 0 ? `query (${this.declared.join(', ')})` : 'query'
    const fragments = [...this.fragments].flatMap(([type, all]) => all.map(({ name, text }) => `fragment ${name} on ${type} ${text}`))
    return { query: [`${head} ${selection}`, ...fragments].join('\n'), variables: this.variables, places: this.places }
  }

  private chance(percent: number): boolean {
    return this.gen(fc.nat, { max: 99 }) < percent
  }

  private oneOf<Item>(items: readonly Item[]): Item {
    const item = items[this.gen(fc.nat, { max: items.length - 1 })]
    if (item === undefined) throw new Error('There is nothing to choose from.')
    return item
  }

  private newName(prefix: string): string {
    this.names += 1
    return `${prefix}${this.names}`
  }

  /** @param renamed whether each field needs a name of its own, since other types have fields of the same one here */
  private selection(type: GraphQLCompositeType, depth: number, renamed: boolean): string {
    const parts = ['__typename']
    for (let count = this.gen(fc.integer, { min: 1, max: 5 }); count > 0 && this.fields < MAXIMUM_FIELDS; count -= 1) {
      parts.push(isAbstractType(type) && this.chance(isInterfaceType(type) ? 60 : 100) ? this.onMember(type, depth) : this.part(type, depth, renamed))
    }
    return `{ ${parts.join(' ')} }`
  }

  private onMember(type: GraphQLCompositeType, depth: number): string {
    const member = isAbstractType(type) ? this.oneOf(schema.getPossibleTypes(type)) : type
    return `... on ${member.name}${this.directive()} ${this.selection(member, depth, true)}`
  }

  private part(type: GraphQLCompositeType, depth: number, renamed: boolean): string {
    if (!renamed && depth > 1 && this.chance(10)) return `...${this.chance(50) ? ` on ${type.name}` : ''}${this.directive()} ${this.selection(type, depth - 1, false)}`
    if (!renamed && depth > 1 && isObjectType(type) && this.chance(10)) return `...${this.fragment(type, depth)}${this.directive()}`
    if (!isObjectType(type) && !isInterfaceType(type)) return '__typename'
    const wantsLeaf = depth <= 1 || this.chance(30)
    const fields = Object.values(type.getFields()).filter((field) => isCompositeType(getNamedType(field.type)) !== wantsLeaf)
    return fields.length > 0 ? this.field(this.oneOf(fields), type.name, depth, renamed) : '__typename'
  }

  /** A fragment of its own, or one that stands elsewhere too. */
  private fragment(type: GraphQLCompositeType, depth: number): string {
    const name = `${type.name}_${depth}`
    const known = this.fragments.get(type.name)?.find((one) => one.name.startsWith(name))
    if (known) {
      this.fields += known.fields
      this.places += known.places
      return known.name
    }
    const before = { fields: this.fields, places: this.places }
    const text = this.selection(type, depth - 1, false)
    const made = { name: this.newName(`${name}_`), text, fields: this.fields - before.fields, places: this.places - before.places }
    this.fragments.set(type.name, [...(this.fragments.get(type.name) ?? []), made])
    return made.name
  }

  private field(field: GraphQLField<unknown, unknown>, owner: string, depth: number, renamed: boolean): string {
    this.fields += 1
    const args = field.args
      .filter((arg) => isRequiredArgument(arg) || this.chance(arg.name === 'last' || arg.name === 'after' || arg.name === 'before' ? 5 : 30))
      .map((arg) => `${arg.name}: ${this.argument(arg.type, arg.name, owner === 'Query' ? field.name : owner)}`)
    // Fields of one name merge, and can do so only with the same arguments.
    const alias = renamed || args.length > 0 || this.chance(5) ? `${this.newName('f')}: ` : ''
    const type = getNamedType(field.type)
    const composite = isCompositeType(type)
    if (field.name === 'totalCount') this.places += 1
    // What finds rows of any type reads each type by itself, once it knows of which type they are.
    if (composite && owner === 'Query') this.places += isAbstractType(type) ? 1 + schema.getPossibleTypes(type).length : 1
    else if (composite && isRead(type) && !['edges', 'node', 'nodes'].includes(field.name)) this.places += 1
    const selection = composite ? ` ${this.selection(type, depth - 1, false)}` : ''
    return `${alias}${field.name}${args.length > 0 ? `(${args.join(', ')})` : ''}${this.directive()}${selection}`
  }

  private argument(type: GraphQLInputType, name: string, owner: string): string {
    const mood = this.oneOf<Mood>(['tame', 'tame', 'tame', 'tame', 'tame', 'tame', 'tame', 'tame', 'odd', 'wild'])
    const value = this.gen(valueOf, type, name, owner, mood)
    if (!this.chance(40)) return literalOf(this.world, value, type)
    const variable = this.newName('v')
    this.declared.push(`$${variable}: ${String(type)}`)
    this.variables[variable] = value
    return `$${variable}`
  }

  private directive(): string {
    if (!this.conditions || !this.chance(10)) return ''
    const value = this.chance(80)
    const name = this.chance(50) ? 'include' : 'skip'
    const keep = name === 'include' ? value : !value
    if (this.chance(50)) return ` @${name}(if: ${String(keep)})`
    const variable = this.newName('v')
    this.declared.push(`$${variable}: Boolean!`)
    this.variables[variable] = keep
    return ` @${name}(if: $${variable})`
  }
}

/** Whether answers of the type are rows, or lists of them, rather than a part of the row that they stand in. */
function isRead(type: GraphQLCompositeType): boolean {
  if (isAbstractType(type)) return true
  return type.name.endsWith('Connection') || type.getInterfaces().some(({ name }) => name === 'Node')
}
