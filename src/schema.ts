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
import { builder } from './builder.js'

/** The whole schema, gathered from the rooms. */
export const schema = builder.toSchema()
