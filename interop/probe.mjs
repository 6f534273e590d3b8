import { readFileSync } from 'node:fs'
import { parse } from 'graphql'
import apollo from '@apollo/composition'
import * as guild from '@theguild/federation-composition'
const ours = readFileSync(process.env.S ?? '/tmp/interop-run/schema.graphql','utf8')
const both = (name, sdl) => {
  const services = [{name:'assessments',url:'http://a',typeDefs:parse(ours)},{name:'other',url:'http://b',typeDefs:parse(`extend schema @link(url: "https://specs.apollo.dev/federation/v2.6", import: ["@key","@shareable","@inaccessible","@external","@requires"])\n`+sdl)}]
  const a = apollo.composeServices(services)
  const g = guild.composeServices(services)
  console.log('##', name)
  console.log('  apollo', a.errors ? a.errors.slice(0,3).map(e=>e.extensions.code+': '+e.message.slice(0,200)) : 'ok', a.hints?.map(h=>h.definition.code+' '+h.message.slice(0,160)).slice(0,8))
  console.log('  guild ', g.errors ? g.errors.slice(0,3).map(e=>e.extensions.code+': '+e.message.slice(0,200)) : 'ok')
}
const q = 'type Query { other: String }\n'
both('nothing', q)
both('PageInfo', q+'extend type Query { x: PageInfo } type PageInfo @shareable { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }')
both('PageInfo fewer', q+'extend type Query { x: PageInfo } type PageInfo @shareable { hasNextPage: Boolean!  endCursor: String }')
both('PageInfo no shareable', q+'extend type Query { x: PageInfo } type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }')
both('Conflict', q+`extend type Query { x: ConflictError y: Thing}
 interface Error { message: String! } 
 interface Versioned { id: ID! version: Int! }
 type Thing implements Versioned @key(fields:"id") { id: ID! version: Int! }
 type ConflictError implements Error @shareable { message: String! expectedVersion: Int! actualVersion: Int! current: Versioned! changedPaths: [String!]! }`)
const full = `extend type Query { x: ConflictError y: Thing}
 interface Error { message: String! } scalar DateTime
 interface Versioned { id: ID! version: Int! createdAt: DateTime! updatedAt: DateTime! history(before: String after: String first: Int last: Int): RevisionConnection!  }
 type Thing implements Versioned @key(fields:"id") { id: ID! version: Int! createdAt: DateTime! updatedAt: DateTime! history(before: String after: String first: Int last: Int): RevisionConnection! }
 type RevisionConnection SH { pageInfo: PageInfo! edges: [RevisionEdge!]! nodes: [Revision!]! totalCount: Int! }
 type RevisionEdge SH { node: Revision! cursor: String! }
 type Revision SH { version: Int! changedPaths: [String!]! actor: String! changedAt: DateTime! }
 type PageInfo @shareable { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String } 
 type ConflictError implements Error @shareable { message: String! expectedVersion: Int! actualVersion: Int! current: Versioned! changedPaths: [String!]! }`
both('Conflict full', q+full.replaceAll('SH','@shareable'))
both('node', 'type Query { node(id: ID!): Node } interface Node { id: ID! } type Thing implements Node { id: ID! }')
both('node shareable', 'type Query { node(id: ID!): Node @shareable} interface Node { id: ID! } type Thing implements Node { id: ID! }')
both('node interface', 'type Query { thing: Thing } interface Node { id: ID! } type Thing implements Node { id: ID! }')
both('error more', 'type Query { thing: Thing } interface Error { message: String! code: String! } type Thing implements Error { message: String! code: String! }')
both('JSONObject as type', 'type Query { thing: JSONObject } type JSONObject { x: Int }')
both('enum riskLevel fewer', 'type Query { thing(x: RiskLevel): RiskLevel } enum RiskLevel { LOW HIGH }')
both('enum Scope fewer', 'type Query { thing: Scope } enum Scope { LOW HIGH }')
both('OrderDirection', 'type Query { thing(x: OrderDirection): String } enum OrderDirection { ASC DESC NONE }')
both('Folder', 'type Query { thing: Folder } type Folder { id: ID! name: String! }')
both('Folder shareable', 'type Query { thing: Folder } type Folder @shareable { id: ID! name: String! }')
both('Entity.name', 'type Query { thing: Entity } type Entity @key(fields: "id") { id: ID! name: String! }')
both('Entity.x', 'type Query { thing: Entity } type Entity @key(fields: "id") { id: ID! x: String! }')
both('Query.users', 'type Query { users: String }')
both('input', 'type Query { thing(i: AnswerInput): String } input AnswerInput { questionId: ID! optionKey: String other: String! }')
both('input optional', 'type Query { thing(i: AnswerInput): String } input AnswerInput { questionId: ID! optionKey: String other: String }')
both('union', 'type Query { thing: CreateAssessmentPayload } union CreateAssessmentPayload = Thing  type Thing { id: ID! }')
