import '../graphql/errors.js'
import '../organisations/schema.js'
import '../templates/schema.js'
import '../assessments/queries.js'
import '../assessments/createAssessment.js'
import '../assessments/updateAssessment.js'
import '../assessments/answerAssessmentQuestions.js'
import '../assessments/refreshAssessments.js'
import '../records/schema.js'
import '../records/updateAssessmentRecord.js'
import '../results/queries.js'
import '../results/putAssessmentResult.js'
import '../organisations/federation.js'
import '../templates/federation.js'
import '../assessments/federation.js'
import '../records/federation.js'
import '../results/federation.js'
import '../assessments/assessmentChanged.js'
import '../records/assessmentRecordChanged.js'
import '../results/assessmentResultChanged.js'
import { builder } from '../graphql/builder.js'
import { guardEntities } from '../graphql/federation.js'
import { boundLongAnswers } from '../graphql/long-answers.js'
import { declareNodeQueries } from '../graphql/nodes.js'

declareNodeQueries()

/** The schema, as an Apollo Federation 2 subgraph. The imports above declare its types and fields. */
export const schema = builder.toSubGraphSchema({
  linkUrl: 'https://specs.apollo.dev/federation/v2.6',
  federationDirectives: ['@key', '@shareable', '@inaccessible'],
})
guardEntities(schema)
boundLongAnswers(schema)
