import { z } from 'zod'
import { between, refuse, text } from '../domain/validation.js'

/** The maximum length of a template's type, in Unicode code points. */
export const TYPE_LENGTH = 100

/* The JSON columns of templates and of the question bank. */

export const difficulty = z.enum(['EASY', 'MEDIUM', 'HARD'])
export type Difficulty = z.output<typeof difficulty>

export const questionOption = z.strictObject({
  key: text({ min: 1, max: 100 }),
  label: text({ min: 1, max: 1000 }),
  /** From 0, no risk, to 100. */
  riskScore: between(0, 100),
})
export type QuestionOption = z.output<typeof questionOption>

export const questionOptions = z
  .array(questionOption)
  .min(1)
  .max(100)
  .superRefine((options, context) => {
    if (new Set(options.map(({ key }) => key)).size < options.length) {
      refuse(context, 'DUPLICATE', 'Two options have the same key.')
    }
  })

/** A section of a template: `questionCount` questions of one topic and difficulty. */
const templateSection = z.strictObject({
  title: text({ min: 1, max: 200 }),
  topic: text({ min: 1, max: 200 }),
  difficulty,
  questionCount: z.int().min(0).max(1000),
})
export type TemplateSection = z.output<typeof templateSection>
export const templateSections = z.array(templateSection).max(100)
