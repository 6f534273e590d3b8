// What clients name in arguments. Who writes queries from the schema knows by this which names to put there.

/** What a client can name: ids by type, the writers' own ids, and what stands inside an assessment. */
export const kinds = [
  'Organisation', 'User', 'Entity', 'AssessmentTemplate', 'Outcome', 'Assessment', 'Folder', 'AssessmentRecord', 'AssessmentLineItem',
  'ScoreScale', 'AssessmentResult', 'AssessmentQuestion', 'oid', 'userSourcedId', 'lineItemSourcedId', 'scaleSourcedId', 'resultSourcedId',
] as const
export type Kind = (typeof kinds)[number]

/** What an argument or input field names, by its own name. */
export const kindsOfName: Record<string, Kind[]> = {
  entityId: ['Entity'],
  templateId: ['AssessmentTemplate'],
  assessmentDefinitionId: ['AssessmentTemplate'],
  createdById: ['User'],
  userId: ['User'],
  assessorId: ['User'],
  questionId: ['AssessmentQuestion'],
  assessmentIds: ['Assessment', 'oid'],
  studentSourcedId: ['userSourcedId'],
  assessmentLineItemSourcedId: ['lineItemSourcedId'],
  scoreScaleSourcedId: ['scaleSourcedId'],
}

/** `id` and `sourcedId` name what their owner is about: the first whose part is in the owner’s name. */
export const kindsOfOwner: [part: string, id: Kind, sourcedId: Kind][] = [
  ['Record', 'AssessmentRecord', 'resultSourcedId'],
  ['LineItem', 'AssessmentLineItem', 'lineItemSourcedId'],
  ['Result', 'AssessmentResult', 'resultSourcedId'],
  ['Template', 'AssessmentTemplate', 'resultSourcedId'],
  ['user', 'User', 'userSourcedId'],
  ['User', 'User', 'userSourcedId'],
  ['entity', 'Entity', 'resultSourcedId'],
  ['outcome', 'Outcome', 'resultSourcedId'],
  ['ssessment', 'Assessment', 'resultSourcedId'],
  ['ExpectedVersion', 'Assessment', 'resultSourcedId'],
]
