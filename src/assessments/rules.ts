import { z } from 'zod'
import type { Difficulty, QuestionOption, TemplateSection } from '../templates/rules.js'
import { difficulty, questionOption } from '../templates/rules.js'
import type { ValidationIssue } from '../domain/failures.js'
import { between, name, NAME_LENGTH, notNull, storable, text } from '../domain/validation.js'

/* ---- what an assessment holds ------------------------------------------------------------------ */

/** A snapshot of a question of the bank, from when it was drawn or last refreshed, and its answer. */
const question = z.object({
  id: z.string(),
  qid: z.number(),
  revision: z.number(),
  text: z.string(),
  topic: z.string(),
  difficulty,
  options: z.array(questionOption),
  answerKey: z.string().nullable(),
})
export const sections = z.array(z.object({ title: z.string(), questions: z.array(question) }))
/** The same without checking each question, for reads: only checked sections are ever written. */
export const storedSections = z.custom<Section[]>((value) => Array.isArray(value))
export type Question = z.output<typeof question>
export type Section = z.output<typeof sections>[number]

/* ---- inputs ------------------------------------------------------------------------------------ */

export const status = z.enum(['DRAFT', 'ANALYZING', 'ACTION_REQUIRED', 'COMPLETE'])
export type Status = z.output<typeof status>
export type RiskLevel = 'LOW' | 'MODERATE' | 'HIGH' | 'CRITICAL'

export const createInput = z.object({
  entityId: z.string(),
  templateId: z.string(),
  name: name.nullish(),
  intakeMode: z.enum(['UPLOAD', 'GUIDED_INTERVIEW', 'MANUAL_ENTRY']).nullish(),
})

export const updateInput = z.object({
  name: notNull(name).optional(),
  companyName: text({ max: NAME_LENGTH }).nullable().optional(),
  companyType: text({ max: 100 }).nullable().optional(),
  status: notNull(status).optional(),
  progress: notNull(between(0, 100)).optional(),
})

export const answersInput = z
  .array(z.object({ questionId: z.string(), optionKey: storable.nullish() }))
  .superRefine((answers, context) => {
    const seen = new Set<string>()
    for (const [index, { questionId }] of answers.entries()) {
      if (seen.has(questionId)) {
        context.addIssue({
          code: 'custom',
          path: [index, 'questionId'],
          message: 'This question is answered twice.',
          params: { code: 'DUPLICATE' },
        })
      }
      seen.add(questionId)
    }
  })
export type Answers = z.output<typeof answersInput>

/* ---- creating ---------------------------------------------------------------------------------- */

/** A question of the bank. `qid` is its number there, and `revision` grows by 1 with each change of its content. */
export interface BankQuestion {
  qid: number
  revision: number
  text: string
  topic: string
  difficulty: Difficulty
  options: QuestionOption[]
}

/** Why a section could not be filled: its pool has too few questions. */
export interface PoolExhausted {
  sectionIndex: number
  required: number
  available: number
}

/**
 * Fills the sections of a template with questions of the bank. Each section takes those of its topic and difficulty with the lowest qids
 * that no earlier section has taken. If one section cannot be filled, all stay empty.
 *
 * @param bank questions that are not deleted, ascending by qid
 */
export function drawSections(
  template: TemplateSection[],
  bank: BankQuestion[],
  newId: () => string,
): { sections: Section[]; exhausted: PoolExhausted | null } {
  const pools = new Map<string, { questions: BankQuestion[]; taken: number }>()
  for (const it of bank) {
    const pool = pools.get(poolKey(it))
    if (pool) pool.questions.push(it)
    else pools.set(poolKey(it), { questions: [it], taken: 0 })
  }
  const drawn: Section[] = []
  for (const [sectionIndex, { title, questionCount, ...wanted }] of template.entries()) {
    const pool = pools.get(poolKey(wanted)) ?? { questions: [], taken: 0 }
    const available = pool.questions.length - pool.taken
    if (available < questionCount) {
      return {
        sections: template.map((section) => ({ title: section.title, questions: [] })),
        exhausted: { sectionIndex, required: questionCount, available },
      }
    }
    const questions = pool.questions.slice(pool.taken, pool.taken + questionCount)
    pool.taken += questionCount
    drawn.push({ title, questions: questions.map((it) => snapshot(it, newId())) })
  }
  return { sections: drawn, exhausted: null }
}

/** Identifies a pool: the questions of one topic and difficulty, which can replace each other. */
export function poolKey({ topic, difficulty: level }: { topic: string; difficulty: Difficulty }): string {
  return JSON.stringify([topic, level])
}

/** A snapshot of a question for an assessment, without an answer. */
export function snapshot(bank: BankQuestion, id: string): Question {
  return {
    id,
    qid: bank.qid,
    revision: bank.revision,
    text: bank.text,
    topic: bank.topic,
    difficulty: bank.difficulty,
    options: bank.options,
    answerKey: null,
  }
}

/** `<template> – <entity>`, cut to the maximum length of a name. It is cut between code points, which is what the limit counts. */
export function defaultName(template: { name: string }, entity: { name: string }): string {
  return [...`${template.name} – ${entity.name}`].slice(0, NAME_LENGTH).join('')
}

/* ---- completing -------------------------------------------------------------------------------- */

/** The chosen option of a question, or null if it is not answered. */
export function answerOf({ options, answerKey }: Question): QuestionOption | null {
  return options.find(({ key }) => key === answerKey) ?? null
}

/**
 * The mean riskScore (0 to 100) of the chosen options, rounded half up to one decimal, and its level. Null if nothing is answered.
 */
export function overallRisk(all: Section[]): { score: number; level: RiskLevel } | null {
  const scores = all.flatMap(({ questions }) => questions.flatMap((it) => answerOf(it)?.riskScore ?? []))
  if (scores.length === 0) return null
  const tenths = (scores.reduce((sum, it) => sum + it, 0) / scores.length) * 10
  // Floating-point errors can make 463.5 tenths 463.49999999999994, which would be rounded down. Twelve digits remove them.
  const score = Math.round(Number(tenths.toPrecision(12))) / 10
  return { score, level: score < 25 ? 'LOW' : score < 50 ? 'MODERATE' : score < 75 ? 'HIGH' : 'CRITICAL' }
}

/* ---- answering --------------------------------------------------------------------------------- */

/** Sets answers: returns the sections with all of them, or all issues. */
export function answerSections(stored: Section[], answers: Answers): { sections: Section[] } | { issues: ValidationIssue[] } {
  const questions = new Map(stored.flatMap((section) => section.questions.map((it) => [it.id, it])))
  const issues = answers.flatMap(({ questionId, optionKey }, index): ValidationIssue[] => {
    const it = questions.get(questionId)
    const path = ['answers', String(index)]
    if (!it) return [{ path: [...path, 'questionId'], code: 'UNKNOWN', message: 'The assessment has no such question.' }]
    if (optionKey == null || it.options.some(({ key }) => key === optionKey)) return []
    return [{ path: [...path, 'optionKey'], code: 'UNKNOWN', message: 'The question has no such option.' }]
  })
  if (issues.length > 0) return { issues }
  const chosen = new Map(answers.map(({ questionId, optionKey }) => [questionId, optionKey ?? null]))
  return {
    sections: stored.map((section) => ({
      ...section,
      questions: section.questions.map((it) => {
        const answerKey = chosen.get(it.id)
        return answerKey === undefined ? it : { ...it, answerKey }
      }),
    })),
  }
}
