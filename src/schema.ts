import './shared/errors.js'
import './organisations/schema.js'
import './templates/schema.js'
import './assessments/queries.js'
import './assessments/createAssessment.js'
import './assessments/updateAssessment.js'
import './assessments/answerAssessmentQuestions.js'
import './assessments/refreshAssessments.js'
import './records/schema.js'
import './records/updateAssessmentRecord.js'
import './results/queries.js'
import './results/putAssessmentResult.js'
import './organisations/entities.js'
import './templates/entities.js'
import './assessments/entities.js'
import './records/entities.js'
import './results/entities.js'
import './assessments/assessmentChanged.js'
import './records/assessmentRecordChanged.js'
import './results/assessmentResultChanged.js'
import './nodes.js'
import { builder } from './builder.js'
import { guardEntities } from './entities.js'

/** The whole schema, gathered from the rooms, as a federation subgraph. */
export const schema = builder.toSubGraphSchema({
  linkUrl: 'https://specs.apollo.dev/federation/v2.6',
  federationDirectives: ['@key', '@shareable', '@inaccessible'],
})
guardEntities(schema)
