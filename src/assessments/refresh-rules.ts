import { z } from 'zod'
import { expectedVersion } from '../domain/validation.js'
import { type BankQuestion, poolKey, type Question, type Section, snapshot } from './rules.js'

/* ---- input ------------------------------------------------------------------------------------- */

/** Whether an id is an oid, the integer that older interfaces know an assessment by, and not a UUID. */
export const isOid = (id: string) => /^\d+$/.test(id)
/** A normal form to compare ids by: oids without leading zeros, UUIDs in lower case. */
export const idKey = (id: string) => (isOid(id) ? String(Number(id)) : id.toLowerCase())

export const refreshInput = z
  .object({
    // `expectedVersion` is optional and nullable elsewhere; here it is required.
    assessmentIds: z.array(z.string()).nullish(),
    expectedVersions: z
      .array(z.object({ id: z.string(), expectedVersion: expectedVersion.unwrap().unwrap() }))
      .nullish(),
  })
  .superRefine(({ assessmentIds, expectedVersions }, context) => {
    const selected = new Set(assessmentIds?.map(idKey))
    // Only the database knows whether an oid and a UUID are of the same assessment; refresh-service.ts checks these.
    const areUuids = selected.size > 0 && ![...selected].some(isOid)
    const seen = new Set<string>()
    for (const [index, { id: sent }] of (expectedVersions ?? []).entries()) {
      const id = idKey(sent)
      const path = ['expectedVersions', index, 'id']
      if (seen.has(id)) context.addIssue({ code: 'custom', path, message: 'This assessment is named twice.', params: { code: 'DUPLICATE' } })
      seen.add(id)
      if (areUuids && !isOid(id) && !selected.has(id)) {
        context.addIssue({ code: 'custom', path, message: 'This assessment is not selected.', params: { code: 'UNKNOWN' } })
      }
    }
  })

/* ---- one assessment ---------------------------------------------------------------------------- */

/** A question of the bank, live or deleted, that an assessment holds. */
export interface BankEntry extends BankQuestion {
  deleted: boolean
}

/** What is known of the question bank. */
export interface Bank {
  /** By qid, the bank's number of a question. */
  entries: ReadonlyMap<number, BankEntry>
  /** The questions of each pool (see `poolKey`) that are not deleted, ascending by qid. */
  pools: ReadonlyMap<string, BankQuestion[]>
}

/** The result of refreshing one assessment. */
export interface Refresh {
  sections: Section[]
  totalQuestions: number
  refreshedQids: number[]
  replacements: { oldQid: number; newQid: number }[]
  replacementFailures: { qid: number; sectionIndex: number; questionIndex: number; reason: string }[]
}

/** Whether the bank has deleted a question, so that the assessment needs a replacement. */
export function isDeleted(question: Question, entries: Bank['entries']): boolean {
  return entries.get(question.qid)?.deleted ?? true
}

/**
 * Updates the questions of an assessment from the bank. A deleted question is replaced by the question of its pool with the lowest qid that
 * the assessment does not hold yet. If there is none, the deleted question stays.
 */
export function refreshSections(stored: Section[], bank: Bank, newId: () => string): Refresh {
  const nextFree = freeQuestions(stored, bank.pools)
  const result: Refresh = { sections: [], totalQuestions: 0, refreshedQids: [], replacements: [], replacementFailures: [] }
  for (const [sectionIndex, section] of stored.entries()) {
    const questions = section.questions.map((question, questionIndex) => {
      result.totalQuestions += 1
      const entry = bank.entries.get(question.qid)
      if (entry && !entry.deleted) {
        if (entry.revision <= question.revision) return question
        result.refreshedQids.push(question.qid)
        return renewed(question, entry)
      }
      const alternative = nextFree(question)
      if (!alternative) {
        const reason = `The bank has no other live question of topic "${question.topic}" and difficulty ${question.difficulty}.`
        result.replacementFailures.push({ qid: question.qid, sectionIndex, questionIndex, reason })
        return question
      }
      result.replacements.push({ oldQid: question.qid, newQid: alternative.qid })
      return snapshot(alternative, newId())
    })
    result.sections.push({ ...section, questions })
  }
  return result
}

/**
 * Makes a function that takes, of the pool of a question, the question with the lowest qid that is neither among `stored` nor taken already;
 * undefined if there is none. Each pool is walked through once, however many are taken of it.
 */
function freeQuestions(stored: Section[], pools: Bank['pools']): (question: Question) => BankQuestion | undefined {
  const held = new Set(stored.flatMap(({ questions }) => questions.map(({ qid }) => qid)))
  const walks = new Map<string, Iterator<BankQuestion, undefined>>()
  return (question) => {
    const key = poolKey(question)
    const walk = walks.get(key) ?? (pools.get(key) ?? []).values()
    walks.set(key, walk)
    for (let next = walk.next(); !next.done; next = walk.next()) if (!held.has(next.value.qid)) return next.value
    return undefined
  }
}

/** A question as its newer revision in the bank has it. Its answer is kept, unless the chosen option is gone. */
function renewed(question: Question, entry: BankEntry): Question {
  const answerKey = entry.options.some(({ key }) => key === question.answerKey) ? question.answerKey : null
  return { ...snapshot(entry, question.id), answerKey }
}
